import type { GroupObservation, ObservedContainer } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { isSpot } from '../pod/annotations/placed.ts';
import { wishesOf } from '../pod/annotations/read-wishes.ts';
import type { Observed } from './observed.ts';

/** Whether the pod asks for capacity that Azure may take back. */
export const isSpotPod = ({ metadata }: Pod): boolean => isSpot(wishesOf(metadata.annotations));

/** No back-off of ACI is longer (docs/aci.md, Life of a group), nor are two of our polls of such a group. */
const longestBackOffMs = 300_000 + 60_000;

/**
 * A Spot group is failed for good once Azure took it back, and what ran then was killed; what had ended before was not. A
 * probe kills as well, so where there is one, or nothing ran, only time can show that nobody starts it again.
 */
export function isTakenBack({ now }: Pick<Observed, 'now'>, pod: Pod, group: GroupObservation): boolean {
  const states = group.containers.map(({ instanceView }) => instanceView?.currentState);
  if (!isSpotPod(pod) || group.state !== 'Failed' || states.some((state) => state?.state !== 'Terminated'))
    return false;
  const ends = states.map((state) => Date.parse(state?.finishTime ?? '')).filter(Number.isFinite);
  const isProbed = pod.spec.containers.some(({ livenessProbe }) => livenessProbe !== undefined);
  return (
    (ends.length > 0 && now - Math.max(...ends) > longestBackOffMs) || (!isProbed && group.containers.some(wasKilled))
  );
}

/** In the run that is shown. */
const wasKilled = ({ instanceView }: ObservedContainer): boolean =>
  instanceView?.events.some(
    ({ name, lastTimestamp }) =>
      name === 'Killing' && Date.parse(lastTimestamp) >= Date.parse(instanceView.currentState?.startTime ?? ''),
  ) === true;
