import type { TerminalSize } from '../../../../shared/core/streams/stream-session.ts';
import type { StreamTarget } from '../../../../shared/wire/relay-protocol/paths.ts';
import type { StreamAnswer } from '../../../../shared/wire/relay-protocol/stream-session.ts';
import { sleep } from '../sleep.ts';
import { dialSession } from './aci/session-socket.ts';
import type { SessionSocket } from './aci/session-socket.ts';
import { readAppStream } from './app-stream.ts';
import type { AppStream } from './app-stream.ts';
import type { KubeletContext } from './call.ts';
import { streamTimes } from './stream-times.ts';

/** A session that is connected, and what is at its far end. */
export type OpenedSession =
  | { readonly ok: true; readonly socket: SessionSocket; readonly farEnd: StreamAnswer['farEnd'] }
  | { readonly ok: false; readonly message: string };

/**
 * Asks the app for a session, patiently while Azure's limits or a starting app are in the way, and connects to it. With a
 * terminal a new process, without what the container writes.
 */
export async function openSession(
  context: KubeletContext,
  target: StreamTarget,
  { terminalSize, signal }: { readonly terminalSize: TerminalSize | undefined; readonly signal: AbortSignal },
): Promise<OpenedSession> {
  const times = streamTimes(context);
  const giveUpAt = performance.now() + times.patienceMs;
  let answer: AppStream;
  for (;;) {
    answer = readAppStream(await context.app.openStream(target, terminalSize, signal));
    if (answer.kind === 'session' || answer.againMs === undefined) break;
    if (signal.aborted || performance.now() + answer.againMs > giveUpAt) break;
    await sleep(answer.againMs, signal);
  }
  if (answer.kind === 'refused') return { ok: false, message: answer.message };
  const { session } = answer;
  const kind = terminalSize === undefined ? 'attach' : 'exec';
  const dialled = await dialSession({ session, kind, caPem: context.aciCaPem, connectMs: times.connectMs, signal });
  return dialled.ok ? { ...dialled, farEnd: session.farEnd } : dialled;
}
