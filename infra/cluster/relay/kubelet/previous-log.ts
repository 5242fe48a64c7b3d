import { defaultTerminalSize } from '../../../../shared/core/streams/stream-session.ts';
import type { StreamTarget } from '../../../../shared/wire/relay-protocol/paths.ts';
import { readLogBefore } from './agent/log-before.ts';
import type { AppLog } from './app-log.ts';
import type { KubeletContext } from './call.ts';
import { previousNotFound } from './container-instance.ts';
import { newNonce } from './nonce.ts';
import { openSession } from './open-session.ts';
import { streamTimes } from './stream-times.ts';

/**
 * The log of the run before the one that runs now: ACI has it no more, the agent of the container may have its end
 * (terminationMessagePolicy: FallbackToLogsOnError). Costs a session of ACI's. Never rejects.
 */
export async function readPreviousLog(
  context: KubeletContext,
  target: StreamTarget,
  signal: AbortSignal,
): Promise<AppLog> {
  const held = context.sessions.begin();
  if (held === undefined) return refused(429, 'this node has as many sessions as it can hold; try again later');
  const until = AbortSignal.any([signal, held.signal]);
  try {
    const wish = { kind: 'exec', terminalSize: defaultTerminalSize, farEnds: ['agent'], signal: until } as const;
    const opened = await openSession(context, target, wish);
    if (!opened.ok)
      return refused(503, `the previous log of container "${target.container}" can't be read: ${opened.message}`);
    if (opened.farEnd !== 'agent') {
      opened.socket.close();
      return notFound(target, nobody);
    }
    const { beginMs, presenceMs } = streamTimes(context);
    const log = await readLogBefore({ terminal: opened.socket, nonce: newNonce(), beginMs, presenceMs, signal: until });
    switch (log.kind) {
      case 'content':
        return log;
      case 'absent':
        return notFound(target, nobody);
      case 'failed':
        return notFound(target, log.why);
    }
  } finally {
    held.end();
  }
}

const refused = (status: number, message: string): AppLog => ({
  kind: 'refused',
  status,
  message,
  isPassing: false,
  retryAfterMs: undefined,
});

const nobody =
  'Azure keeps the log of the present run; the agent keeps that of the run before where the container has terminationMessagePolicy: FallbackToLogsOnError';

/** In a kubelet's words, and why. */
const notFound = ({ pod, container }: StreamTarget, why: string): AppLog =>
  refused(400, `${previousNotFound(pod, container)}: ${why}`);
