import type { ImageConfig } from './image-config.ts';

/** What an operator says of an image whose registry the app can't reach. */
export type ImageOverride = Pick<ImageConfig, 'entrypoint' | 'cmd' | 'user' | 'workingDir' | 'env' | 'stopSignal'>;

/** By image: as pods write it, or without tag and digest for all of them. */
export type ImageOverrides = Readonly<Record<string, ImageOverride>>;

const withoutDigest = (image: string): string => image.split('@', 1)[0] ?? '';
const withoutTag = (image: string): string => withoutDigest(image).replace(/:[^/:]+$/, '');

/** The operator's word on an image: on this very reference, else on its tag, else on its name; undefined: none. */
export function imageOverride(image: string, overrides: ImageOverrides): ImageConfig | undefined {
  for (const name of [image, withoutDigest(image), withoutTag(image)])
    if (Object.hasOwn(overrides, name)) return overrides[name];
  return undefined;
}
