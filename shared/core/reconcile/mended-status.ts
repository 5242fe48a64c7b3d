import type { Pod, PodStatus } from '../kubernetes/pod.ts';
import { composeStatus } from '../status/pod-status.ts';

/** The status as it stands, with our own conditions made to agree with the containers again (DESIGN rule 5). */
export function mendedStatus(pod: Pod, now: number): PodStatus {
  const { initContainerStatuses, containerStatuses, phase, hostIP, podIP } = pod.status;
  return composeStatus({
    pod,
    statuses: { initContainerStatuses, containerStatuses },
    phase,
    isReadyToStart: true,
    ...(hostIP === undefined ? {} : { hostIP }),
    ...(podIP === undefined ? {} : { podIP }),
    now,
  });
}
