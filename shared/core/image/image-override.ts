import { imageLocation, imageVersion } from '../pod/image-reference.ts';
import type { ImageConfig } from './image-config.ts';

/** What an operator says of an image whose registry the app can't reach. */
export type ImageOverride = Pick<ImageConfig, 'entrypoint' | 'cmd' | 'user' | 'workingDir' | 'env' | 'stopSignal'>;

/** By image, under any of its names: with tag or digest, or without both for all of them. */
export type ImageOverrides = Readonly<Record<string, ImageOverride>>;

/** The names that an image answers to, the longest first; without a tag it is `latest`. */
function namesOf(image: string): readonly string[] {
  const { host, path } = imageLocation(image);
  const { tag, digest } = imageVersion(image);
  const whole = `${host}/${path}`;
  const tagged = `${whole}:${tag ?? 'latest'}`;
  if (digest === undefined) return [tagged, whole];
  return [`${whole}@${digest}`, ...(tag === undefined ? [] : [tagged]), whole];
}

/** As an operator wrote it: a name without a tag is that of all tags. */
const keyOf = (image: string): string => namesOf(image)[/[:@][^/]*$/.test(image) ? 0 : 1] ?? '';

/** The operator's word on an image: on this very digest or tag, else on its name; undefined: none. */
export function imageOverride(image: string, overrides: ImageOverrides): ImageConfig | undefined {
  const known = new Map(Object.entries(overrides).map(([name, config]) => [keyOf(name), config]));
  return namesOf(image)
    .map((name) => known.get(name))
    .find((config) => config !== undefined);
}
