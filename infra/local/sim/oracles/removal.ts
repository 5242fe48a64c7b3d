import { isTerminalPhase } from '../../../../shared/core/kubernetes/pod.ts';
import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import type { Report } from './violation.ts';

/** O1 and O3, rule 6, when the app removes a pod's object: its group is gone and its end is written by then. */
export function checkRemoval(pod: Pod, hasGroup: boolean, report: Report): void {
  const { uid } = pod.metadata;
  if (hasGroup) report('O1', 'a pod is removed while its group is there', uid);
  if (!isTerminalPhase(pod.status.phase)) report('O3', `a pod is removed in phase ${pod.status.phase}`, uid);
}
