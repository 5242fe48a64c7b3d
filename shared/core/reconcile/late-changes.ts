import type { GroupObservation } from '../group/group.ts';
import { nameOfPinned } from '../image/image-source.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { noticeEvent, podEvents } from '../pod-events/table.ts';
import { tell } from './rule.ts';
import type { Effect } from './observed.ts';

/**
 * What came into the spec when the group was there already and can not reach it: told by an event, so that nothing is
 * dropped silently (rule 8 of docs/architecture.md).
 */
export const lateChanges = (pod: Pod, group: GroupObservation): readonly Effect[] => [
  ...keptImages(pod, group),
  ...unstartedContainers(pod),
];

const statusesOf = { initContainers: 'initContainerStatuses', containers: 'containerStatuses' } as const;

/**
 * Kubernetes lets a bound pod's images be changed, and a kubelet starts the container again. A group keeps those that it
 * was made with: a new PUT would start all of its containers again. So the change is told, once for each image.
 */
const keptImages = (pod: Pod, group: GroupObservation): readonly Effect[] =>
  (['initContainers', 'containers'] as const).flatMap((member) =>
    pod.spec[member].flatMap(({ name, image }, index) => {
      const made = group[member].find((container) => container.name === name)?.image ?? '';
      const told = pod.status[statusesOf[member]].find((status) => status.name === name)?.image ?? '';
      const runs = nameOfPinned(made, [told, image]);
      if (runs === '' || runs === image) return [];
      const path = `spec.${member}[${index}].image`;
      const message = `${path}: the group was made with ${runs} and keeps it; delete the pod to run ${image}`;
      return [tell(podEvents.imageNotChanged.of({ member, name, image }, message))];
    }),
  );

/** Ephemeral containers only ever come late (`kubectl debug`). */
function unstartedContainers({ rawSpec: { ephemeralContainers } }: Pod): readonly Effect[] {
  if (!Array.isArray(ephemeralContainers) || ephemeralContainers.length === 0) return [];
  const message = 'spec.ephemeralContainers: a container can not be added to a group; the others go on running';
  return [tell(noticeEvent({ reason: 'FieldWithoutEffect', message }))];
}
