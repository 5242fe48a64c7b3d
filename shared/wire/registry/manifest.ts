import * as z from 'zod';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { IndexEntry } from '../../core/image/platform.ts';
import { defined } from '../../core/defined.ts';
import { parseJson } from '../json-text.ts';
import { digest } from './digest.ts';

const indexTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const manifestTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
/** Charts and other artifacts have a manifest of the same type, and a config of another. */
const configTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** For `Accept`: without one of these a registry may answer what nobody can read. */
export const acceptedManifests = [...indexTypes, ...manifestTypes].join(', ');

/** The most that registries take (OCI distribution specification: at least 4 MiB). */
export const maxManifestBytes = 4 * 1024 * 1024;
export const maxConfigBytes = 4 * 1024 * 1024;
const mostEntries = 1_000;

const descriptor = z.object({
  mediaType: z.string().max(255),
  digest,
  size: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
});

const platform = z
  .object({
    os: z.string().max(64),
    architecture: z.string().max(64),
    variant: z.string().max(64).nullish(),
  })
  .transform(({ os, architecture, variant }) => ({ os, architecture, ...defined({ variant: variant ?? undefined }) }));

const entry = descriptor
  .extend({ platform: platform.nullish() })
  .transform(({ platform, ...rest }): IndexEntry => ({ ...rest, ...defined({ platform: platform ?? undefined }) }));

const index = z.object({ schemaVersion: z.literal(2), manifests: z.array(entry).max(mostEntries) });
const manifest = z.object({ schemaVersion: z.literal(2), config: descriptor });

/** What a blob is and where it is kept. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export type Manifest =
  | { readonly kind: 'index'; readonly entries: readonly IndexEntry[] }
  | { readonly kind: 'manifest'; readonly config: Descriptor };

const shape = z.looseObject({
  mediaType: z.string().max(255).optional(),
  manifests: z.unknown().optional(),
  config: z.unknown().optional(),
});

/**
 * What is under a tag or digest. The type that the answer names, the type in the document and its members must agree,
 * so that nobody takes a document for an index that another takes for an image (CVE-2021-41190).
 */
export function parseManifest(contentType: string | undefined, text: string): Result<Manifest> {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isIndex = indexTypes.has(type);
  if (!isIndex && !manifestTypes.has(type)) return unsupported(`a manifest of the type ${shown(type)}`);
  const whole = shape.safeParse(parseJson(text));
  if (!whole.success) return garbage('the manifest is no JSON object');
  const { mediaType, manifests, config } = whole.data;
  if (mediaType !== undefined && mediaType !== type)
    return unsupported(`a manifest of the type ${shown(type)} that calls itself ${shown(mediaType)}`);
  if (manifests !== undefined && config !== undefined) return unsupported('a manifest that is an index and an image');
  return isIndex ? parseIndex(whole.data) : parseImage(whole.data);
}

function parseIndex(document: unknown): Result<Manifest> {
  const parsed = index.safeParse(document);
  return parsed.success ? ok({ kind: 'index', entries: parsed.data.manifests }) : garbage('the index is not valid');
}

function parseImage(document: unknown): Result<Manifest> {
  const parsed = manifest.safeParse(document);
  if (!parsed.success) return garbage('the manifest is not valid');
  const { config } = parsed.data;
  if (!configTypes.has(config.mediaType)) return unsupported(`a config of the type ${shown(config.mediaType)}`);
  return config.size > maxConfigBytes
    ? fail({ kind: 'rejected', code: 'TooLarge', message: `the image's config has ${config.size} bytes` })
    : ok({ kind: 'manifest', config });
}

const unsupported = (what: string): Result<never> =>
  fail({ kind: 'rejected', code: 'UnsupportedMediaType', message: `the registry has ${what}, which is no image` });

const garbage = (message: string): Result<never> => fail({ kind: 'transient', message });

const shown = (type: string): string => (/^[\w.+/-]{1,100}$/.test(type) ? type : 'unknown');
