import type { GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Effect } from './observed.ts';

/**
 * Kubernetes lets a bound pod's images be changed, and a kubelet starts the container again. A group keeps those that it
 * was made with: a new PUT would start all of its containers again. So the change is told, once for each image.
 */
export const keptImages = (pod: Pod, group: GroupObservation): readonly Effect[] =>
  (['initContainers', 'containers'] as const).flatMap((member) =>
    pod.spec[member].flatMap(({ name, image }, index) => {
      const runs = group[member].find((container) => container.name === name)?.image ?? '';
      if (runs === '' || runs === image) return [];
      const path = `spec.${member}[${index}].image`;
      const message = `${path}: the group was made with ${runs} and keeps it; delete the pod to run ${image}`;
      return [{ kind: 'create-event', type: 'Warning', reason: 'ImageNotChanged', message } as const];
    }),
  );
