import { imageNameFault } from '../pod/image-name.ts';
import { imageLocation, imageVersion } from '../pod/image-reference.ts';

/** Where a registry keeps an image. */
export interface ImageSource {
  /** Host, with a port where one is named; `index.docker.io` for all names of Docker Hub. */
  readonly registry: string;
  /** `library/nginx` */
  readonly repository: string;
  /** A digest wins over a tag beside it, as with every container runtime. */
  readonly reference: { readonly kind: 'tag' | 'digest'; readonly value: string };
}

export type ParsedImage =
  | { readonly ok: true; readonly source: ImageSource }
  /** In the words of a kubelet (`InvalidImageName`). */
  | { readonly ok: false; readonly message: string };

/** Where an image is, from what a pod calls it; no tag is `latest`. */
export function imageSource(image: string): ParsedImage {
  const message = imageNameFault(image);
  if (message !== undefined) return { ok: false, message };
  const { host: registry, path: repository } = imageLocation(image);
  const { tag = 'latest', digest } = imageVersion(image);
  const reference =
    digest === undefined ? ({ kind: 'tag', value: tag } as const) : ({ kind: 'digest', value: digest } as const);
  return { ok: true, source: { registry, repository, reference } };
}

/** The same image by its digest: the name as the pod has it, without its tag. */
export function pinnedImage(image: string, digest: string): string {
  const name = image.split('@', 1)[0] ?? '';
  return `${name.replace(/:[^/:]+$/, '')}@${digest}`;
}

/**
 * The first of these names that a pod may have called `runs` by: a group has an image by its digest where its registry was
 * asked, and the tag is lost then. None of them: `runs` itself.
 */
export function nameOfPinned(runs: string, names: readonly string[]): string {
  const [, digest] = runs.split('@', 2);
  if (digest === undefined) return runs;
  const isName = (name: string): boolean =>
    pinnedImage(name, digest) === runs && (!name.includes('@') || name.endsWith(`@${digest}`));
  return names.find(isName) ?? runs;
}
