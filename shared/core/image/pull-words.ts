import { imageLocation } from '../pod/image-reference.ts';

/** A kubelet's waiting reason for an image that does not come. */
export interface PullWait {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff';
  readonly message: string;
}

const quoted = '"[^"]*"(?: or "[^"]*")*';
const prefix = new RegExp(
  `^(?:Back-off pulling image ${quoted}: ErrImagePull: )?failed to pull image ${quoted}: `,
  'i',
);

/** Why a pull failed, without a kubelet's words before it, which ACI and ARM may have put there too. */
export const pullCause = (words: string): string => words.replace(prefix, '');

/**
 * The images that ARM's words on a pull may be about: those that they name, else those of the registry that they name,
 * else all.
 */
export function imagesMeant(images: readonly string[], words: string): readonly string[] {
  const all = [...new Set(images)].filter((image) => image !== '');
  // `busybox:1` is in `busybox:1.36`, which is another image.
  const named = all.filter((image) => words.includes(image));
  const longest = named.filter((image) => !named.some((other) => other !== image && other.includes(image)));
  if (longest.length > 0) return longest;
  // Docker Hub is named as ACI has it, or as the pod has it.
  const ofRegistry = all.filter((image) => words.includes(imageLocation(image).host.replace(/^index\./, '')));
  return ofRegistry.length > 0 ? ofRegistry : all;
}

/** As a kubelet: the first time why it failed, from then on that it is waited for. The message names the image, or those that it may be. */
export function pullWait(images: readonly string[], words: string, isRepeated: boolean): PullWait {
  const cause = pullCause(words);
  const meant = imagesMeant(images, cause);
  if (meant.length === 0) return { reason: 'ErrImagePull', message: words };
  const image = meant.map((one) => `"${one}"`).join(' or ');
  const message = `failed to pull image ${image}: ${cause}`;
  return isRepeated
    ? { reason: 'ImagePullBackOff', message: `Back-off pulling image ${image}: ErrImagePull: ${message}` }
    : { reason: 'ErrImagePull', message };
}
