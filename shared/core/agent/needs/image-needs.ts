import type { Pod } from '../../kubernetes/pod.ts';
import { judgeImage } from '../../pod/image-fit.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { ResolvedReferences } from '../../pod/translation.ts';
import type { Need } from '../tier.ts';

/** What only the images say: that they start as somebody else, or elsewhere. Of one that is not known nothing is said. */
export const imageNeeds = (pod: Pod, { images }: Pick<ResolvedReferences, 'images'>): readonly Need[] =>
  locatedContainers(pod).flatMap(({ container, member, index }) => {
    const image = images.get(container.image);
    if (image?.ok !== true) return [];
    const judged = judgeImage({ pod, container, member, index }, image.value);
    return judged.kind === 'ok' ? judged.value : [];
  });
