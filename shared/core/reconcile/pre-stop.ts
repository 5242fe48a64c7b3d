import type { JsonObject } from '../json.ts';
import { numberAt, objectAt, objectsAt, textAt } from '../json-access.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';

/** `lifecycle.preStop.sleep.seconds` of a container as the spec has it; 0 where there is none. */
function sleepSeconds(rawSpec: JsonObject, name: string): number {
  const container = objectsAt(rawSpec, 'containers').find((one) => textAt(one, 'name') === name) ?? {};
  const preStop = objectAt(objectAt(container, 'lifecycle'), 'preStop');
  return numberAt(objectAt(preStop, 'sleep'), 'seconds') ?? 0;
}

/**
 * When the containers of a deleted pod may be stopped, ms since the epoch: after the longest `preStop.sleep` of those that
 * run (KEP-3960), counted from the deletion, and never later than the grace period allows. A group is stopped as a whole.
 */
export function stopAt({ metadata, rawSpec }: Pod, group: GroupObservation): number {
  const deadline = Date.parse(metadata.deletionTimestamp ?? '');
  if (!Number.isFinite(deadline)) return 0;
  const sleeps = group.containers
    .filter(({ instanceView }) => instanceView?.currentState?.state === 'Running')
    .map(({ name }) => sleepSeconds(rawSpec, name));
  const began = deadline - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return Math.min(deadline, began + Math.max(0, ...sleeps) * 1000);
}
