import type { GroupObservation } from '../group/group.ts';
import { observedContainer } from '../group/observed-container.ts';
import { nameOfPinned } from '../image/image-source.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { noticeEvent, podEvents } from '../pod-events/table.ts';
import { createEvent } from './rule.ts';
import type { Effect } from './observed.ts';

/**
 * What came into the spec when the group was there already and can not reach it: reported by an event, so that nothing is
 * dropped silently (rule 8 of docs/architecture.md).
 */
export const lateChanges = (pod: Pod, group: GroupObservation): readonly Effect[] => [
  ...keptImages(pod, group),
  ...unstartedContainers(pod),
];

const statusesOf = { initContainers: 'initContainerStatuses', containers: 'containerStatuses' } as const;

/**
 * Kubernetes lets a bound pod's images be changed, and a kubelet starts the container again. A group keeps those that it
 * was made with: a new PUT would start all of its containers again. So the change is reported, once for each image.
 */
const keptImages = (pod: Pod, group: GroupObservation): readonly Effect[] =>
  (['initContainers', 'containers'] as const).flatMap((member) =>
    pod.spec[member].flatMap(({ name, image }, index) => {
      const made = observedContainer(group, { member, name })?.image ?? '';
      const reported = pod.status[statusesOf[member]].find((status) => status.name === name)?.image ?? '';
      const runs = nameOfPinned(made, [reported, image]);
      if (runs === '' || runs === image) return [];
      const path = `spec.${member}[${index}].image`;
      const message = `${path}: the group was made with ${runs} and keeps it; delete the pod to run ${image}`;
      return [createEvent(podEvents.imageNotChanged.of({ member, name, image }, message))];
    }),
  );

/** Ephemeral containers only ever come late (`kubectl debug`). */
function unstartedContainers({ rawSpec: { ephemeralContainers } }: Pod): readonly Effect[] {
  if (!Array.isArray(ephemeralContainers) || ephemeralContainers.length === 0) return [];
  const message = 'spec.ephemeralContainers: a container can not be added to a group; the others go on running';
  return [createEvent(noticeEvent({ reason: 'FieldWithoutEffect', message }))];
}
