import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { fail, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { ImageConfig } from '../core/image/image-config.ts';
import { imageOverride } from '../core/image/image-override.ts';
import { imageSource } from '../core/image/image-source.ts';
import type { ImageSource } from '../core/image/image-source.ts';
import { isTagFresh } from '../core/image/image-tag.ts';
import { imageLogins } from '../core/pod/registry-credentials.ts';
import type { ImageReference, ResolvedReferences } from '../core/pod/translation.ts';
import type { ImageQuery, ImageRegistry, RegistryLogin } from '../ports/image-registry.ts';
import { within } from './deps.ts';
import type { Deps } from './deps.ts';
import { SharedReads } from './shared-reads.ts';

/** Whom to ask. */
export type ImageLookUpDeps = Pick<Deps, 'imageRegistry' | 'store' | 'settings' | 'clock'>;

export interface WantedImage {
  readonly image: string;
  /** `imagePullPolicy: Always`: a tag is asked for each time. */
  readonly isAlways: boolean;
  /** Those of the pod's pull secrets that are for this image. */
  readonly logins: readonly RegistryLogin[];
  /** Whose they are: all pods of a namespace may use its pull secrets, and no others. */
  readonly owner: string;
}

/** By the registry, so that no process of a test ever gets what another read. */
const reads = new WeakMap<ImageRegistry, SharedReads<ImageConfig>>();

/**
 * What an image says of itself: an operator's word first; then what is kept, of a digest for ever, of a tag for minutes;
 * then the registry, whose good answers are kept. Nothing that failed is. What can't be kept or read there is asked for
 * again: that is only slower. `now` is Table service's time; faults are the registry's (`ImageRegistry`). What a tag names
 * is kept for a namespace where its pull secrets were shown, else for all. Whoever names a digest that somebody else was let
 * in for gets to know its config, and not the image: ACI pulls with the pod's own credentials. Pods that come at once ask once.
 */
export async function lookUpImage(
  deps: ImageLookUpDeps,
  wanted: WantedImage,
  now: number,
  signal: AbortSignal,
): Promise<Result<ImageConfig>> {
  const override = imageOverride(wanted.image, deps.settings.IMAGE_CONFIGS);
  if (override !== undefined) return ok(override);
  const shared = reads.get(deps.imageRegistry) ?? new SharedReads<ImageConfig>(({ kind }) => kind !== 'transient');
  reads.set(deps.imageRegistry, shared);
  return shared.get(keyOf(wanted), deps.clock.monotonicMs(), () => lookUp(deps, wanted, { now, signal }));
}

const atOnce = 4;
/** For all images of a pod: a slow registry is reported as one before the invocation is over. */
const longestMs = 8_000;

/**
 * What the pod's images say, each with the logins that its pull secrets hold for it. A fault of a registry is in the
 * map, also that it took too long; one of our own, that the invocation is over, ends the whole.
 */
export async function lookUpImages(
  deps: ImageLookUpDeps,
  { images, pullSecrets, secrets, owner }: PodImages,
  now: number,
  signal: AbortSignal,
): Promise<Result<ResolvedReferences['images']>> {
  const limit = pLimit(atOnce);
  const bounded = within(deps, signal, longestMs);
  const found = await Promise.all(
    images.map(({ image, isAlways }) =>
      limit(async (): Promise<[string, Result<ImageConfig>]> => {
        const logins = imageLogins(image, pullSecrets, secrets);
        return [image, await lookUpImage(deps, { image, isAlways, logins, owner }, now, bounded)];
      }),
    ),
  );
  return signal.aborted && found.some(([, { ok: isRead }]) => !isRead)
    ? fail({ kind: 'transient', message: 'out of time: registries of images took too long' })
    : ok(new Map(found));
}

export interface PodImages {
  readonly images: readonly ImageReference[];
  readonly pullSecrets: readonly { readonly name: string }[];
  readonly secrets: ResolvedReferences['secrets'];
  /** As {@link WantedImage.owner}. */
  readonly owner: string;
}

const keyOf = (wanted: WantedImage): string => createHash('sha256').update(JSON.stringify(wanted)).digest('hex');

interface Moment {
  readonly now: number;
  readonly signal: AbortSignal;
}

async function lookUp(
  deps: ImageLookUpDeps,
  { image, isAlways, logins, owner }: WantedImage,
  moment: Moment,
): Promise<Result<ImageConfig>> {
  const parsed = imageSource(image);
  if (!parsed.ok) return fail({ kind: 'rejected', code: 'InvalidImageName', message: parsed.message });
  const { source } = parsed;
  const digest =
    source.reference.kind === 'digest'
      ? ok(source.reference.value)
      : await digestOf(deps, { query: { source, logins }, isAlways, owner }, moment);
  if (!digest.ok) return digest;
  const { imageRegistry, store } = deps;
  const kept = await store.getImageConfig(digest.value);
  if (kept.ok && kept.value !== undefined) return ok(kept.value);
  const pinned: ImageSource = { ...source, reference: { kind: 'digest', value: digest.value } };
  const config = await imageRegistry.getConfig({ source: pinned, logins }, moment.signal);
  if (config.ok) await store.upsertImageConfig({ ...config.value, digest: digest.value });
  return config;
}

async function digestOf(
  { imageRegistry, store }: ImageLookUpDeps,
  { query, isAlways, owner }: Pick<WantedImage, 'isAlways' | 'owner'> & { readonly query: ImageQuery },
  { now, signal }: Moment,
): Promise<Result<string>> {
  const { registry: host, repository, reference } = query.source;
  const shared = `${host}/${repository}:${reference.value}`;
  const name = query.logins.length === 0 ? shared : `${owner} ${shared}`;
  const kept = isAlways ? undefined : await store.getImageTag(name);
  if (kept?.ok === true && kept.value !== undefined && isTagFresh(kept.value, now)) return ok(kept.value.digest);
  const digest = await imageRegistry.getDigest(query, signal);
  if (digest.ok) await store.upsertImageTag(name, { digest: digest.value, readAt: now });
  return digest;
}
