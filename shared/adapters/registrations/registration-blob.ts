import type { TokenCredential } from '@azure/core-auth';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { Registrations, RegistrationsRead } from '../../ports/registrations.ts';
import { formatRegistrations, parseRegistrations } from '../../wire/settings.ts';
import type { SettingFault } from '../../wire/setting-fault.ts';
import { createBlobClient } from './blob-client.ts';
import type { BlobRequest } from './blob-client.ts';
import { blobFault } from './blob-faults.ts';
import type { BlobAnswer, BlobSubject } from './blob-faults.ts';

export interface RegistrationBlobConfig {
  /** The blob's URL, as the setting `REGISTRATIONS_URL` allows it; with a SAS in its query no token is asked for. */
  readonly url: string;
  /** Who asks, where there is no SAS: needs the role Storage Blob Data Reader, and Contributor for `put`. */
  readonly credential?: TokenCredential | undefined;
  /** PEM of the CA that the endpoint's certificate is from; the system's CAs are not trusted then. */
  readonly caPem?: string;
}

const subject: BlobSubject = {
  name: 'the registrations',
  role: 'Storage Blob Data Reader (to change them, Contributor)',
};

/** {@link Registrations} in one blob. The HTTP client is loaded on the first call; nothing is retried inside. */
export function createRegistrationBlob(config: RegistrationBlobConfig): Registrations {
  const { url, ...from } = config;
  const target = new URL(url);
  const client = createBlobClient(target.searchParams.has('sig') ? { ...from, credential: undefined } : from);
  // The setting allows `http:` on loopback only.
  const send = (request: Omit<BlobRequest, 'url'>): Promise<Result<BlobAnswer>> => client({ ...request, url });
  return {
    get: async (known, signal) => {
      const headers = known === undefined ? {} : { 'if-none-match': known };
      const answer = await send({ method: 'GET', headers, signal });
      return answer.ok ? read(answer.value, known) : answer;
    },
    put: async (clusters, etag, signal) => {
      const answer = await send({
        method: 'PUT',
        headers: {
          'x-ms-blob-type': 'BlockBlob',
          'content-type': 'application/json; charset=utf-8',
          ...(etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag }),
        },
        body: formatRegistrations(clusters),
        signal,
      });
      return answer.ok ? written(answer.value) : answer;
    },
  };
}

/** A container that is not there holds no blob either: whoever puts the first gets that answer. */
const absentCodes = new Set(['BlobNotFound', 'ContainerNotFound']);

function read(answer: BlobAnswer, known: string | undefined): Result<RegistrationsRead> {
  if (answer.status === 304 && known !== undefined) return ok({ kind: 'unchanged' });
  if (answer.status === 404 && absentCodes.has(answer.header('x-ms-error-code') ?? ''))
    return ok({ kind: 'read', etag: undefined, clusters: [] });
  if (answer.status !== 200) return fail(blobFault(answer, subject));
  const etag = answer.header('etag');
  if (etag === undefined)
    return fail({ kind: 'transient', message: 'Blob storage answered the registrations without an ETag' });
  const parsed = parseRegistrations(answer.body);
  if (!parsed.ok) return fail({ kind: 'rejected', code: 'RegistrationsInvalid', message: sentences(parsed.faults) });
  return ok({ kind: 'read', etag, clusters: parsed.clusters });
}

const mostFaults = 5;
const sentences = (faults: readonly SettingFault[]): string =>
  [
    ...faults.slice(0, mostFaults).map(({ name, expected }) => `${name}: ${expected}`),
    ...(faults.length > mostFaults ? [`and ${faults.length - mostFaults} more`] : []),
  ].join('; ');

function written(answer: BlobAnswer): Result<string> {
  if (answer.status !== 201) return fail(blobFault(answer, subject));
  const etag = answer.header('etag');
  return etag === undefined
    ? fail({ kind: 'transient', message: 'Blob storage took the registrations and named no ETag' })
    : ok(etag);
}
