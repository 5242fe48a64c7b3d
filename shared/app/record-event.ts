import { describeFault } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { KubeEvent } from '../core/kubernetes/event.ts';
import { planWrite, remember } from '../core/pod-events/marks.ts';
import type { EventWrite } from '../core/pod-events/marks.ts';
import { fieldPath } from '../core/pod-events/pod-event.ts';
import type { Effect } from '../core/reconcile/observed.ts';
import type { PodSession } from './pod-session.ts';

/**
 * Writes an event, unless the row says that it was written lately. An event is for people: when it can't be written the
 * work goes on, and its next occasion writes it.
 */
export async function recordEvent(
  session: PodSession,
  effect: Extract<Effect, { kind: 'create-event' }>,
): Promise<void> {
  const { pod, row } = session;
  const write = planWrite(effect, row.reported, session.now());
  if (pod === undefined || write === undefined) return;
  const written = await send(session, write, {
    involved: {
      kind: 'Pod',
      namespace: row.namespace,
      name: row.name,
      uid: row.uid,
      ...(effect.container === undefined ? {} : { fieldPath: fieldPath(effect.container) }),
    },
    type: effect.type,
    reason: effect.reason,
    message: write.message,
    at: effect.at ?? new Date(session.now()).toISOString(),
    dedupeKey: `${row.uid}/${write.key}`,
    count: write.count,
  });
  if (written === undefined) return;
  if (!written.ok) {
    session.deps.log.warn('event could not be written', { reason: effect.reason, fault: describeFault(written.fault) });
    return;
  }
  // Written with the row's next change. What a crash repeats has the same name and the same count, so that it counts once.
  if (write.mark !== undefined) session.stage({ reported: remember(session.row.reported, write.mark) });
}

/** One that the API server has dropped since is made anew. Undefined: there is no time left. */
async function send(session: PodSession, write: EventWrite, event: KubeEvent): Promise<Result<void> | undefined> {
  const { api } = session.node;
  if (write.kind === 'repeat') {
    const signal = session.callSignal();
    if (signal === undefined) return undefined;
    const repeated = await api.repeatEvent(event, signal);
    if (repeated.ok || repeated.fault.kind !== 'not-found') return repeated;
  }
  const signal = session.callSignal();
  return signal === undefined ? undefined : api.createEvent(event, signal);
}
