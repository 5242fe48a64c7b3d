import { isTerminalPhase } from '../kubernetes/pod.ts';
import { decideAbsentPod } from './absent-pod.ts';
import { decideDeletingPod } from './deleting-pod.ts';
import { decideLivingPod } from './living-pod.ts';
import { decideTerminalPod } from './terminal-pod.ts';
import type { Decision, Observed } from './observed.ts';

/**
 * What to do about one pod now. Pure: the same observation gives the same decision, whichever event asked for it.
 */
export function decide(observed: Observed): Decision {
  const { pod } = observed;
  if (pod === undefined) return decideAbsentPod(observed);
  if (isTerminalPhase(pod.status.phase)) return decideTerminalPod(observed, pod);
  if (pod.metadata.deletionTimestamp !== undefined) return decideDeletingPod(observed, pod);
  return decideLivingPod(observed, pod);
}

/**
 * Whether the decision needs a read of the group first. An ended pod costs none, and one whose group we deleted
 * ourselves needs none to be forgotten.
 */
export function needsLook(observed: Pick<Observed, 'pod' | 'row'>): boolean {
  const { pod, row } = observed;
  if (row.intent.kind === 'deleted' && (pod === undefined || isTerminalPhase(pod.status.phase))) return false;
  const deleting = pod?.metadata.deletionTimestamp !== undefined;
  return pod === undefined || deleting || !(isTerminalPhase(pod.status.phase) && row.settled);
}
