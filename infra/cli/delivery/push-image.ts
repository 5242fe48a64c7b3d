import { imageRegistryOver } from '../../../shared/adapters/registry/image-registry.ts';
import { registryFault } from '../../../shared/adapters/registry/registry-faults.ts';
import type { RegistryAnswer } from '../../../shared/adapters/registry/registry-faults.ts';
import type { RegistrySession, SessionRequest } from '../../../shared/adapters/registry/registry-session.ts';
import { fail, ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import { registryHost } from '../../../shared/core/image/registry-endpoint.ts';
import type { Stored, StoredImage } from '../../../shared/core/image/stored-image.ts';
import type { ImageQuery, RegistryLogin } from '../../../shared/ports/image-registry.ts';

/** Where an image goes, and who brings it. */
export interface PushTarget {
  /** Host, with a port where one is named. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** Tried in this order. */
  readonly logins: readonly RegistryLogin[];
}

export interface PushRun {
  readonly session: RegistrySession;
  /** What an operator wants asked in place of the registry's host; undefined: the host itself, over TLS. */
  readonly mappedTo: string | undefined;
  readonly signal: AbortSignal;
  readonly report: (detail: string) => void;
}

/** `there`: all of it was, under its digest and its tag. */
export type Pushed = 'there' | 'pushed';

/**
 * Puts an image with all that belongs to it into a registry (OCI distribution specification), under its digest first and
 * then under its tag, and asks afterwards whether it is there. What the registry has already is not sent. Idempotent;
 * deletes nothing, and moves no tag that names something else: `conflict`.
 */
export async function pushImage(target: PushTarget, image: StoredImage, run: PushRun): Promise<Result<Pushed>> {
  const isThere = await hasManifest(target, image.digest, run);
  if (!isThere.ok) return isThere;
  if (!isThere.value) {
    for (const blob of image.blobs) {
      const sent = await pushBlob(target, blob, run);
      if (!sent.ok) return sent;
    }
    run.report('manifest');
    const put = await putManifest(target, { reference: image.digest, manifest: image }, run);
    if (!put.ok) return put;
  }
  const tagged = await tag(target, image, run);
  if (!tagged.ok || (isThere.value && tagged.value === 'there')) return tagged;
  const found = await hasManifest(target, image.digest, run);
  if (!found.ok) return found;
  return found.value
    ? ok('pushed')
    : fail({ kind: 'rejected', code: 'NotKept', message: `${target.registry} took ${image.digest} and has it not` });
}

/** Whether the registry has a manifest under its own digest; one that it has under the wrong name is a fault. */
async function hasManifest(target: PushTarget, digest: string, run: PushRun): Promise<Result<boolean>> {
  const found = await digestAt(target, digest, run);
  if (!found.ok) return found;
  return found.value === undefined || found.value === digest
    ? ok(found.value === digest)
    : fail({
        kind: 'rejected',
        code: 'DigestMismatch',
        message: `${target.registry} answers something else for ${digest}`,
      });
}

/** What a digest or a tag names; undefined: nothing. */
async function digestAt(target: PushTarget, value: string, run: PushRun): Promise<Result<string | undefined>> {
  const found = await imageRegistryOver(run.session).getDigest(queryOf(target, value), run.signal);
  return !found.ok && found.fault.kind === 'not-found' ? ok(undefined) : found;
}

const queryOf = ({ registry, repository, logins }: PushTarget, value: string): ImageQuery => ({
  source: { registry, repository, reference: { kind: value.includes(':') ? 'digest' : 'tag', value } },
  logins,
});

async function tag(target: PushTarget, image: StoredImage, run: PushRun): Promise<Result<Pushed>> {
  const named = await digestAt(target, target.tag, run);
  if (!named.ok) return named;
  if (named.value === image.digest) return ok('there');
  if (named.value !== undefined)
    return fail({
      kind: 'conflict',
      code: 'TagTaken',
      message: `${target.registry} has the tag ${target.tag} for ${named.value}`,
    });
  run.report(`tag ${target.tag}`);
  const put = await putManifest(target, { reference: target.tag, manifest: image }, run);
  return put.ok ? ok('pushed') : put;
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
const mostAnswerBytes = 65_536;

async function pushBlob(target: PushTarget, blob: Stored, run: PushRun): Promise<Result<void>> {
  const head = await send(target, { action: 'blob', method: 'HEAD', path: `blobs/${blob.digest}` }, run);
  // Whatever else it answers, it says again to what follows, in words.
  if (head.ok && head.value.status === 200) return ok(undefined);
  const begun = await send(target, { action: 'upload', method: 'POST', path: 'blobs/uploads/' }, run);
  if (!begun.ok) return begun;
  if (begun.value.status !== 202) return refusal(begun.value, target, 'an upload');
  const path = uploadPath(begun.value.headers.location, { ...target, ...run, digest: blob.digest });
  if (!path.ok) return path;
  run.report(megabytes(blob.bytes.length));
  const content = { type: 'application/octet-stream', bytes: blob.bytes };
  const put = await send(target, { action: 'upload', method: 'PUT', path: path.value, content }, run);
  if (!put.ok) return put;
  return put.value.status === 201 ? ok(undefined) : refusal(put.value, target, blob.digest);
}

/** The path and query to which the bytes go, on the registry's own host: no login leaves it. */
export function uploadPath(
  location: string | undefined,
  {
    registry,
    mappedTo,
    digest,
  }: { readonly registry: string; readonly mappedTo?: string | undefined; readonly digest: string },
): Result<string> {
  const base = `https://${registryHost(registry)}/`;
  if (location === undefined || !URL.canParse(location, base))
    return fail({ kind: 'rejected', code: 'NoLocation', message: `${registry} names no place for an upload` });
  const url = new URL(location, base);
  // Behind what ends its TLS a registry may take itself for one of plain http.
  if (url.host !== new URL(base).host && url.origin !== mappedTo)
    return fail({ kind: 'rejected', code: 'Elsewhere', message: `${registry} wants an upload at ${url.host}` });
  url.searchParams.set('digest', digest);
  return ok(`${url.pathname}${url.search}`);
}

async function putManifest(
  target: PushTarget,
  { reference, manifest }: { readonly reference: string; readonly manifest: Stored },
  run: PushRun,
): Promise<Result<void>> {
  const content = { type: manifest.mediaType, bytes: manifest.bytes };
  const answer = await send(
    target,
    { action: 'manifest', method: 'PUT', path: `manifests/${reference}`, content },
    run,
  );
  if (!answer.ok) return answer;
  return answer.value.status === 201 ? ok(undefined) : refusal(answer.value, target, `the manifest ${reference}`);
}

const send = (
  target: PushTarget,
  request: Omit<SessionRequest, 'maxBytes'>,
  { session, signal }: PushRun,
): Promise<Result<RegistryAnswer>> =>
  session(queryOf(target, target.tag), { maxBytes: mostAnswerBytes, ...request }, signal);

/** A success of another kind than the specification has is no success. */
function refusal(answer: RegistryAnswer, { registry, repository }: PushTarget, what: string): Result<never> {
  const where = `${what} in ${repository}`;
  return answer.status < 400
    ? fail({ kind: 'rejected', code: 'NoRegistry', message: `${registry} answered ${answer.status} for ${where}` })
    : fail(registryFault(answer, registry, where));
}
