import { isJsonObject } from '../json.ts';
import type { Json } from '../json.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';

/** `lifecycle.preStop.sleep.seconds` of a container as the spec has it; 0 where there is none. */
function sleepSeconds(container: Json | undefined): number {
  const path = ['lifecycle', 'preStop', 'sleep', 'seconds'];
  const found = path.reduce<Json | undefined>(
    (value, key) => (isJsonObject(value) ? value[key] : undefined),
    container,
  );
  return typeof found === 'number' && found > 0 ? found : 0;
}

const named = (list: Json | undefined, name: string): Json | undefined =>
  Array.isArray(list) ? list.find((item) => isJsonObject(item) && item.name === name) : undefined;

/**
 * When the containers of a deleted pod may be stopped, ms since the epoch: after the longest `preStop.sleep` of those that
 * run (KEP-3960), counted from the deletion, and never later than the grace period allows. A group is stopped as a whole.
 */
export function stopAt({ metadata, rawSpec }: Pod, group: GroupObservation): number {
  const deadline = Date.parse(metadata.deletionTimestamp ?? '');
  if (!Number.isFinite(deadline)) return 0;
  const sleeps = group.containers
    .filter(({ instanceView }) => instanceView?.currentState?.state === 'Running')
    .map(({ name }) => sleepSeconds(named(rawSpec.containers, name)));
  const began = deadline - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return Math.min(deadline, began + Math.max(0, ...sleeps) * 1000);
}
