import type { Json } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { imageNameFault } from './image-name.ts';

/** An image that no pull can bring. The pod waits for another one, as with a kubelet, and costs nothing meanwhile. */
export interface ImageTrouble {
  /** The waiting reason. */
  readonly reason: 'InvalidImageName' | 'ErrImageNeverPull';
  readonly message: string;
  /** Which container has it. */
  readonly container: { readonly member: 'initContainers' | 'containers'; readonly name: string };
}

/** Of the first container that has one; init containers come first. */
export function imageTrouble({ spec, rawSpec }: Pod): ImageTrouble | undefined {
  for (const member of ['initContainers', 'containers'] as const)
    for (const [index, { name, image }] of spec[member].entries()) {
      const container = { member, name };
      const wrong = imageNameFault(image);
      if (wrong !== undefined) return { reason: 'InvalidImageName', message: wrong, container };
      if (pullPolicy(rawSpec[member], index) === 'Never') return { ...neverPulled(image), container };
    }
  return undefined;
}

/** Nothing is ever present before the pull. */
const neverPulled = (image: string): Omit<ImageTrouble, 'container'> => ({
  reason: 'ErrImageNeverPull',
  message: `Container image "${image}" is not present with pull policy of Never`,
});

/** As the API server sent it, which fills it in. */
export function pullPolicy(containers: Json | undefined, index: number): Json | undefined {
  const container = Array.isArray(containers) ? containers[index] : undefined;
  return isJsonObject(container) ? container['imagePullPolicy'] : undefined;
}
