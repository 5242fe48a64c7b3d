import { agentWord } from '../../../shared/core/agent/words.ts';
import type { AgentStatus, WordAnswer } from '../../../shared/core/agent/words.ts';
import { fail, ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import { defaultTerminalSize } from '../../../shared/core/streams/stream-session.ts';
import type { AgentWords } from '../../../shared/ports/agent-words.ts';
import type { AttachRequest, ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { createCallGate } from './faults/call-gate.ts';
import type { InjectedFault } from './faults/call-gate.ts';

/** An agent in a container: what it does when it hears a word, and what it answers. */
export interface MemoryAgent {
  readonly drain: (graceSeconds: number) => WordAnswer;
  readonly refresh: () => WordAnswer;
  readonly status: () => AgentStatus;
}

/** Agents in memory, for tests and simulations; the same contract suite holds them and the real adapter. */
export interface MemoryAgentWords extends AgentWords {
  /** From now on this agent is in that container; undefined: none is. */
  setAgent(place: AttachRequest, agent: MemoryAgent | undefined): void;
  /** Every word that an agent heard, in order: `GROUP/CONTAINER drain 30`. */
  readonly heard: () => readonly string[];
  inject(fault: InjectedFault<keyof AgentWords>): void;
}

/**
 * `groups`: whose `exec` opens the sessions, so that its faults and budgets are those of the words. `others`: agents that are in
 * containers without {@link MemoryAgentWords.setAgent}.
 */
export function createMemoryAgentWords(
  groups: Pick<ContainerGroups, 'exec'>,
  others: (place: AttachRequest) => MemoryAgent | undefined = () => undefined,
): MemoryAgentWords {
  const agents = new Map<string, MemoryAgent>();
  const heard: string[] = [];
  const { call, inject } = createCallGate<keyof AgentWords>();
  const keyOf = ({ group, container }: AttachRequest): string => `${group}/${container}`;

  const say = async <T>(
    word: keyof AgentWords,
    {
      place,
      signal,
      more = '',
    }: { readonly place: AttachRequest; readonly signal: AbortSignal; readonly more?: string },
    answer: (agent: MemoryAgent) => T,
  ): Promise<Result<T>> => {
    const session = { ...place, command: agentWord[word], terminalSize: defaultTerminalSize, isWord: true };
    const opened = await groups.exec(session, signal);
    if (!opened.ok) return opened;
    return call(word, signal, () => {
      const agent = agents.get(keyOf(place)) ?? others(place);
      if (agent === undefined) return fail(missing(agentWord[word]));
      heard.push(`${keyOf(place)} ${word}${more}`);
      return ok(answer(agent));
    });
  };

  return {
    drain: (place, { graceSeconds }, signal) =>
      say('drain', { place, signal, more: ` ${graceSeconds}` }, (agent) => agent.drain(graceSeconds)),
    refresh: (place, signal) => say('refresh', { place, signal }, (agent) => agent.refresh()),
    status: (place, signal) =>
      say('status', { place, signal }, (agent) => ({ ok: true as const, status: agent.status() })),
    setAgent: (place, agent) => {
      if (agent === undefined) agents.delete(keyOf(place));
      else agents.set(keyOf(place), agent);
    },
    heard: () => heard,
    inject,
  };
}

const missing = (word: string) =>
  ({ kind: 'rejected', code: 'AgentMissing', message: `exec: "${word}": no such file or directory` }) as const;
