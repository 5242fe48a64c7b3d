import type { Pod } from '../kubernetes/pod.ts';
import { deadlineInMs } from './deadline.ts';
import { nextLookMs } from './look-plan.ts';
import type { LookInput } from './look-plan.ts';
import type { Observed } from './observed.ts';

/** When to look at the pod's group next, ms, given how far it has come. */
export const lookInMs = (
  observed: Observed,
  pod: Pod,
  progress: Pick<LookInput, 'stage' | 'acceptedForMs' | 'runningForMs'>,
): number => {
  const { endingPods, earliestStartMs, random } = observed.policy;
  return nextLookMs({
    ...progress,
    restartPolicy: pod.spec.restartPolicy,
    deadlineInMs: deadlineInMs(observed, pod),
    endingPods,
    earliestStartMs,
    random,
  });
};
