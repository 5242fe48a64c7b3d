import type { ImageConfig } from '../image/image-config.ts';
import { pullMessage } from '../image/look-up-trouble.ts';
import type { PullFault } from '../image/look-up-trouble.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { pullPolicy } from './image-trouble.ts';
import { ok } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { ImageReference, ResolvedReferences } from './translation.ts';

/** ACI's `command` takes the place of the image's entrypoint too: arguments alone need to know it. */
const needsConfig = ({ command, args }: Container): boolean => command.length === 0 && args.length > 0;

/** The images whose registry has to be asked, each once and sorted; a pod that needs none costs no request. */
export function imageReferences({ spec, rawSpec }: Pod): readonly ImageReference[] {
  const wanted = new Map<string, boolean>();
  for (const member of ['initContainers', 'containers'] as const)
    for (const [index, container] of spec[member].entries()) {
      if (!needsConfig(container)) continue;
      const isAlways = pullPolicy(rawSpec[member], index) === 'Always';
      wanted.set(container.image, isAlways || wanted.get(container.image) === true);
    }
  return [...wanted].map(([image, isAlways]) => ({ image, isAlways })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

/**
 * What the container's image says, where it was asked for: also for one that could do without, so that all containers of
 * an image run the same. A container that can't do without waits for it as a kubelet waits for a pull.
 */
export function containerImage(
  container: Container,
  { images }: Pick<ResolvedReferences, 'images'>,
): Outcome<ImageConfig | undefined> {
  const { image } = container;
  const read = images.get(image);
  if (read?.ok === true) return ok(read.value);
  if (!needsConfig(container)) return ok(undefined);
  const pull: PullFault = { image, fault: read?.fault ?? { kind: 'transient', message: 'its registry was not asked' } };
  return { kind: 'waiting', reason: 'ErrImagePull', message: pullMessage(pull), pull };
}
