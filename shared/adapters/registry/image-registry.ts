import { createHash } from 'node:crypto';
import type { TokenCredential } from '@azure/core-auth';
import { fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import type { ImageConfig } from '../../core/image/image-config.ts';
import { chooseManifest } from '../../core/image/platform.ts';
import type { ImageQuery, ImageRegistry } from '../../ports/image-registry.ts';
import { parseDigest } from '../../wire/registry/digest.ts';
import { parseImageConfig } from '../../wire/registry/image-config.ts';
import { acceptedManifests, maxConfigBytes, maxManifestBytes, parseManifest } from '../../wire/registry/manifest.ts';
import type { Descriptor, Manifest } from '../../wire/registry/manifest.ts';
import { registryFault } from './registry-faults.ts';
import type { RegistryAnswer } from './registry-faults.ts';
import { createRegistryHttp } from './registry-http.ts';
import type { RegistryHttpConfig } from './registry-http.ts';
import { createRegistrySession } from './registry-session.ts';
import type { RegistrySession, SessionRequest } from './registry-session.ts';

export interface ImageRegistryConfig extends RegistryHttpConfig {
  /** Who asks registries of Azure where no pull secret is let in: needs AcrPull. */
  readonly pullIdentity?: TokenCredential;
}

/** {@link ImageRegistry} over HTTP. Nothing is asked before the first call. */
export function createImageRegistry(config: ImageRegistryConfig): ImageRegistry {
  const { pullIdentity: credential } = config;
  const identity = credential && { credential, name: 'the pull identity' };
  return imageRegistryOver(createRegistrySession(createRegistryHttp(config), identity));
}

/** {@link ImageRegistry} over a session that others use too. */
export function imageRegistryOver(session: RegistrySession): ImageRegistry {
  return {
    getDigest: (query, signal) => getDigest(session, query, signal),
    getConfig: (query, signal) => getConfig(session, query, signal),
  };
}

/** Statuses of a registry that knows no HEAD. */
const noHead: ReadonlySet<number> = new Set([405, 501]);

async function getDigest(session: RegistrySession, query: ImageQuery, signal: AbortSignal): Promise<Result<string>> {
  const request = manifestRequest(query.source.reference.value);
  const head = await session(query, { method: 'HEAD', ...request }, signal);
  if (!head.ok) return head;
  const { status, headers } = head.value;
  const reported = parseDigest(header(headers['docker-content-digest']));
  if (status === 200 && reported !== undefined) return ok(reported);
  if (status !== 200 && !noHead.has(status)) return fail(faultOf(head.value, query));
  const whole = await getWhole(session, query, { request, signal });
  if (!whole.ok) return whole;
  const digest =
    parseDigest(header(whole.value.headers['docker-content-digest'])) ?? digestOf(whole.value.body, 'sha256');
  return matches(whole.value.body, digest) ? ok(digest) : fail(lie(query, digest));
}

async function getConfig(
  session: RegistrySession,
  query: ImageQuery,
  signal: AbortSignal,
): Promise<Result<ImageConfig>> {
  const { value: digest } = query.source.reference;
  if (parseDigest(digest) === undefined)
    return fail({
      kind: 'rejected',
      code: 'DigestUnsupported',
      message: `${digest} is of no algorithm that can be checked`,
    });
  const top = await getManifest(session, query, { digest, signal });
  if (!top.ok) return top;
  const image = top.value.kind === 'index' ? await getImage(session, query, { index: top.value, signal }) : top;
  if (!image.ok) return image;
  if (image.value.kind === 'index') return named(nested, query);
  const config = await getBlob(session, query, { blob: image.value.config, signal });
  if (!config.ok) return config;
  const parsed = named(parseImageConfig(config.value), query);
  return parsed.ok ? ok({ digest, ...parsed.value }) : parsed;
}

const nested = fail({
  kind: 'rejected',
  code: 'UnsupportedMediaType',
  message: 'the registry has an index within an index',
});

async function getImage(
  session: RegistrySession,
  query: ImageQuery,
  { index, signal }: { readonly index: Manifest & { kind: 'index' }; readonly signal: AbortSignal },
): Promise<Result<Manifest>> {
  const chosen = named(chooseManifest(index.entries), query);
  return chosen.ok ? getManifest(session, query, { digest: chosen.value.digest, signal }) : chosen;
}

async function getManifest(
  session: RegistrySession,
  query: ImageQuery,
  { digest, signal }: { readonly digest: string; readonly signal: AbortSignal },
): Promise<Result<Manifest>> {
  const answer = await getWhole(session, query, { request: manifestRequest(digest), signal });
  if (!answer.ok) return answer;
  // A page of a proxy is reported by its type, a true manifest by its bytes.
  const { headers, body } = answer.value;
  const manifest = named(parseManifest(headers['content-type'], body.toString('utf8')), query);
  if (!manifest.ok && manifest.fault.kind === 'rejected') return manifest;
  return matches(body, digest) ? manifest : fail(lie(query, digest));
}

async function getBlob(
  session: RegistrySession,
  query: ImageQuery,
  { blob, signal }: { readonly blob: Descriptor; readonly signal: AbortSignal },
): Promise<Result<string>> {
  const request = {
    action: 'blob' as const,
    path: `blobs/${blob.digest}`,
    accept: '*/*',
    maxBytes: Math.min(blob.size, maxConfigBytes),
  };
  const answer = await getWhole(session, query, { request, signal });
  if (!answer.ok) return answer;
  return answer.value.body.length === blob.size && matches(answer.value.body, blob.digest)
    ? ok(answer.value.body.toString('utf8'))
    : fail(lie(query, blob.digest));
}

const manifestRequest = (reference: string) => ({
  action: 'manifest' as const,
  path: `manifests/${reference}`,
  accept: acceptedManifests,
  maxBytes: maxManifestBytes,
});

/** A GET that brought what it asked for; any other answer is a fault. */
async function getWhole(
  session: RegistrySession,
  query: ImageQuery,
  { request, signal }: { readonly request: Omit<SessionRequest, 'method'>; readonly signal: AbortSignal },
): Promise<Result<RegistryAnswer>> {
  const answer = await session(query, { method: 'GET', ...request }, signal);
  return !answer.ok || answer.value.status === 200 ? answer : fail(faultOf(answer.value, query));
}

const header = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

const digestOf = (bytes: Buffer, algorithm: string): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;

const matches = (bytes: Buffer, digest: string): boolean =>
  digestOf(bytes, digest.startsWith('sha512:') ? 'sha512' : 'sha256') === digest;

const pathOf = ({ source: { repository, reference } }: ImageQuery): string =>
  `${repository}${reference.kind === 'tag' ? ':' : '@'}${reference.value}`;

const faultOf = (answer: RegistryAnswer, query: ImageQuery): Fault =>
  registryFault(answer, query.source.registry, pathOf(query));

const lie = ({ source }: ImageQuery, digest: string): Fault => ({
  kind: 'rejected',
  code: 'DigestMismatch',
  message: `${source.registry} answered other bytes than ${digest} for ${source.repository}`,
});

/** With where it is from: what is wrong with a document knows nothing of that. */
const named = <T>(result: Result<T>, { source }: ImageQuery): Result<T> =>
  result.ok
    ? result
    : fail({ ...result.fault, message: `${source.registry}/${source.repository}: ${result.fault.message}` });
