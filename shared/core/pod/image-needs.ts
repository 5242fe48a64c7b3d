import type { ImageConfig } from '../image/image-config.ts';
import { pullMessage } from '../image/look-up-trouble.ts';
import type { PullFault } from '../image/look-up-trouble.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Judged } from './image-fit.ts';
import { pullPolicy } from './image-trouble.ts';
import { ok } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { wantedUser } from './security-context.ts';
import type { Member } from './security-context.ts';
import type { ImageReference, ResolvedReferences } from './translation.ts';

/**
 * ACI's `command` takes the place of the image's entrypoint too: arguments alone need to know it. A user or a folder is
 * given only by an image that has it anyway.
 */
function needsConfig(pod: Pod, member: Member, index: number): boolean {
  const { command = [], args = [] } = pod.spec[member][index] ?? {};
  const wanted = wantedUser(pod, member, index);
  return (command.length === 0 && args.length > 0) || Object.values(wanted).some((one) => one !== undefined);
}

/** The images whose registry has to be asked, each once and sorted; a pod that needs none costs no request. */
export function imageReferences(pod: Pod): readonly ImageReference[] {
  const { spec, rawSpec } = pod;
  const wanted = new Map<string, boolean>();
  for (const member of ['initContainers', 'containers'] as const)
    for (const [index, container] of spec[member].entries()) {
      if (!needsConfig(pod, member, index)) continue;
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
  { pod, container, member, index }: Judged,
  { images }: Pick<ResolvedReferences, 'images'>,
): Evaluation<ImageConfig | undefined> {
  const { image } = container;
  const read = images.get(image);
  if (read?.ok === true) return ok(read.value);
  if (!needsConfig(pod, member, index)) return ok(undefined);
  const pull: PullFault = { image, fault: read?.fault ?? { kind: 'transient', message: 'its registry was not asked' } };
  return { kind: 'waiting', reason: 'ErrImagePull', message: pullMessage(pull), pull };
}
