import type { Pod } from '../kubernetes/pod.ts';
import { areHeard } from './heard.ts';
import { deadlineInMs } from './deadline.ts';
import { nextPollMs } from './poll-plan.ts';
import type { PollInput } from './poll-plan.ts';
import type { Observed } from './observed.ts';

/** When to look at the pod's group next, ms, given how far it has come. */
export const pollInMs = (
  observed: Observed,
  pod: Pod,
  progress: Pick<PollInput, 'stage' | 'acceptedForMs' | 'runningForMs'>,
): number => {
  const { endingPods, earliestStartMs, random } = observed.policy;
  return nextPollMs({
    ...progress,
    restartPolicy: pod.spec.restartPolicy,
    isHeard: areHeard(pod, observed.row),
    deadlineInMs: deadlineInMs(observed, pod),
    endingPods,
    earliestStartMs,
    random,
  });
};
