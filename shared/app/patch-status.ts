import type { PodStatus } from '../core/kubernetes/pod.ts';
import { timing } from '../core/reconcile/timing.ts';
import { measureStatus } from './measure-pod.ts';
import type { Performed } from './performed.ts';
import { done, later } from './performed.ts';
import { outOfTime } from './pod-session.ts';
import type { PodSession } from './pod-session.ts';

/** Before the pod is read again: whoever wrote it may be about to write again. */
const longestPauseMs = 100;

/**
 * Writes the status, guarded by UID and resourceVersion. On a conflict the pod is read again and the decision made
 * again on the same sight of the group: a conflict never repeats an ARM call (DESIGN rule 5).
 */
export async function patchStatus(session: PodSession, status: PodStatus): Promise<Performed> {
  const signal = session.callSignal();
  if (signal === undefined || session.pod === undefined) return later(outOfTime);
  const patched = await session.node.api.patchPodStatus(session.pod, status, signal);
  if (patched.ok) {
    measureStatus(session, session.pod, status);
    session.pod = patched.value;
    return done;
  }
  switch (patched.fault.kind) {
    case 'conflict':
    case 'not-found':
      return reread(session);
    case 'denied':
      return {
        kind: 'stop',
        next: { kind: 'in', ms: isFreshlyBound(session) ? 1_000 : timing.authorizerLagMs },
        fault: patched.fault,
      };
    default:
      return later(patched.fault);
  }
}

async function reread(session: PodSession): Promise<Performed> {
  session.conflicts += 1;
  if (session.conflicts > 3) return { kind: 'stop', next: { kind: 'in', ms: 1_000 } };
  await session.deps.clock.sleep(session.deps.random() * longestPauseMs);
  const signal = session.callSignal();
  if (signal === undefined) return later(outOfTime);
  const pod = await session.node.api.getPod(session.row, signal);
  if (!pod.ok) return later(pod.fault);
  session.pod = pod.value?.metadata.uid === session.row.uid ? pod.value : undefined;
  return { kind: 'stop', next: { kind: 'again' } };
}

/** The Node authorizer's graph may lag: a 403 so soon after the binding passes (DESIGN rule 4). */
export function isFreshlyBound(session: PodSession): boolean {
  const scheduled = session.pod?.status.conditions.find(
    (condition) => condition.type === 'PodScheduled',
  )?.lastTransitionTime;
  const at = Date.parse(scheduled ?? session.pod?.metadata.creationTimestamp ?? '');
  return Number.isFinite(at) && session.now() - at < timing.authorizerLagMs;
}
