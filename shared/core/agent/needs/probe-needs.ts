import type { Pod } from '../../kubernetes/pod.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { InspectionFacts } from '../../pod/translation.ts';
import type { Need } from '../tier.ts';

/** The relay reaches a pod by its address alone, which it has in a subnet. */
export const probeNeeds = (pod: Pod, { subnetId }: Pick<InspectionFacts, 'subnetId'>): readonly Need[] =>
  subnetId !== undefined
    ? []
    : locatedContainers(pod)
        .filter(({ container }) => container.readinessProbe !== undefined)
        .map(({ path, member, index }) => ({
          tier: 'T2',
          strength: 'needs',
          field: `${path}.readinessProbe`,
          why: 'the pod is in no subnet, so it has no address at which the relay could probe it',
          concerns: { member, index },
        }));
