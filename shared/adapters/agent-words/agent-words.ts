import { agentWord } from '../../core/agent/words.ts';
import type { Result } from '../../core/fault.ts';
import { defaultTerminalSize } from '../../core/streams/stream-session.ts';
import type { AgentWords } from '../../ports/agent-words.ts';
import type { AttachRequest, ContainerGroups } from '../../ports/container-groups.ts';
import { formatDrain, parseStatusAnswer, parseWordAnswer } from '../../wire/agent-protocol/word-answer.ts';
import { sayOneLine } from './one-line.ts';

interface AgentWordsConfig {
  readonly groups: Pick<ContainerGroups, 'exec'>;
  /** PEM of the CA that ARM's certificate is from, and then that of sessions too. */
  readonly certificateAuthorityPem?: string;
}

interface Word<T> {
  readonly command: string;
  readonly typed?: string;
  readonly parse: (line: string) => T | undefined;
}

/** Agents behind ARM's exec. */
export function createAgentWords({ groups, certificateAuthorityPem: caPem }: AgentWordsConfig): AgentWords {
  const say = async <T>(place: AttachRequest, word: Word<T>, signal: AbortSignal): Promise<Result<T>> => {
    const session = { ...place, command: word.command, terminalSize: defaultTerminalSize, isWord: true };
    const opened = await groups.exec(session, signal);
    if (!opened.ok) return opened;
    return sayOneLine({ session: opened.value, typed: word.typed, parse: word.parse, caPem, signal });
  };
  return {
    drain: (place, order, signal) =>
      say(place, { command: agentWord.drain, typed: formatDrain(order), parse: parseWordAnswer }, signal),
    refresh: (place, signal) => say(place, { command: agentWord.refresh, parse: parseWordAnswer }, signal),
    status: (place, signal) => say(place, { command: agentWord.status, parse: parseStatusAnswer }, signal),
  };
}
