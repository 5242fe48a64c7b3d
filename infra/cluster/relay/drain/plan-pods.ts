import type { DrainPod } from './drain-object.ts';

/** What is done with a pod that is in the way. */
export type PodStep =
  /** It is on its way out. */
  | { readonly kind: 'wait' }
  /** As `kubectl drain`: a PodDisruptionBudget may refuse it. */
  | { readonly kind: 'evict' }
  | { readonly kind: 'delete' }
  /** Its DaemonSet would put back one after the other: it goes with the Node, and is not waited for. */
  | { readonly kind: 'leave' };

export interface DrainProgress {
  readonly elapsedMs: number;
  readonly timeoutMs: number;
  /** DaemonSets (UIDs) of which a pod was deleted before, and the UIDs of those pods. */
  readonly deletedDaemonSets: ReadonlySet<string>;
  readonly deletedPods: ReadonlySet<string>;
}

/** After half of the time, what a PodDisruptionBudget still holds is deleted: a node that goes can't wait for ever. */
export function planPod(pod: DrainPod, progress: DrainProgress): PodStep {
  const { daemonSet } = pod;
  if (daemonSet !== undefined && progress.deletedDaemonSets.has(daemonSet.uid) && !progress.deletedPods.has(pod.uid))
    return { kind: 'leave' };
  if (pod.isTerminating) return { kind: 'wait' };
  if (daemonSet !== undefined) return { kind: 'delete' };
  return { kind: progress.elapsedMs * 2 >= progress.timeoutMs ? 'delete' : 'evict' };
}
