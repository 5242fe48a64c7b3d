import { describeFault } from '../core/fault.ts';
import { createHash } from 'node:crypto';
import type { Effect } from '../core/reconcile/observed.ts';
import type { PodSession } from './pod-session.ts';

const mostRemembered = 16;

/** Writes an event once per reason and sentence. An event is for people: when it can't be written the work goes on. */
export async function recordEvent(
  session: PodSession,
  effect: Extract<Effect, { kind: 'create-event' }>,
): Promise<void> {
  const { pod, row } = session;
  const mark = createHash('sha256').update(`${effect.reason}\n${effect.message}`).digest('hex').slice(0, 12);
  const signal = session.callSignal();
  if (pod === undefined || row.reported.includes(mark) || signal === undefined) return;
  const written = await session.node.api.createEvent(
    {
      involved: { kind: 'Pod', namespace: row.namespace, name: row.name, uid: row.uid },
      type: effect.type,
      reason: effect.reason,
      message: effect.message,
      at: new Date(session.now()).toISOString(),
      dedupeKey: `${row.uid}/${mark}`,
    },
    signal,
  );
  if (!written.ok) {
    session.deps.log.warn('event could not be written', { reason: effect.reason, fault: describeFault(written.fault) });
    return;
  }
  // Written with the row's next change: an event that a crash repeats has the same name, so that the API server keeps one.
  session.stage({ reported: [...session.row.reported, mark].slice(-mostRemembered) });
}
