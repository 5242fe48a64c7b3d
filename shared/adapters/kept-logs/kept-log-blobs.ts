import type { TokenCredential } from '@azure/core-auth';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { keptBytes } from '../../core/logs/kept-log.ts';
import type { KeptLogKey, KeptLogs } from '../../ports/kept-logs.ts';
import { formatKeptLogs, parseKeptLogs } from '../../wire/kept-log.ts';
import type { BlobStorage } from '../../wire/storage-settings.ts';
import { createBlobClient } from '../registrations/blob-client.ts';
import type { BlobRequest } from '../registrations/blob-client.ts';
import { blobFault } from '../registrations/blob-faults.ts';
import type { BlobAnswer } from '../registrations/blob-faults.ts';
import { signedHeaders } from './shared-key.ts';

export interface KeptLogBlobsConfig {
  /** Undefined: the settings name none, and every call is refused (`NoBlobStorage`). */
  readonly storage: BlobStorage | undefined;
  readonly installation: string;
  /** Who asks, where the storage is reached by identity: needs the role Storage Blob Data Contributor. */
  readonly credential: TokenCredential;
}

/** Installations that share an account have a folder each in it. */
const container = 'serverless-kubelet-logs';
const subject = { name: 'the logs that are kept', role: 'Storage Blob Data Contributor' };

/** {@link KeptLogs} as one block blob for each pod, in the storage account that holds the tables too. */
export function createKeptLogBlobs(config: KeptLogBlobsConfig): KeptLogs {
  const { storage, installation } = config;
  if (storage === undefined) return { put: nowhere, get: nowhere, delete: nowhere };
  const client = createBlobClient(storage.kind === 'identity' ? { credential: config.credential } : {});
  const send = (request: Omit<BlobRequest, 'headers' | 'url'> & Partial<BlobRequest>, path: string) =>
    client(addressed(storage, request, path));
  const pathOf = ({ node, group }: KeptLogKey): string =>
    ['', container, installation, node.cluster, node.node, group].map(encodeURIComponent).join('/');
  const write = (key: KeptLogKey, body: string, signal: AbortSignal): Promise<Result<BlobAnswer>> => {
    const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'text/plain; charset=utf-8' };
    return send({ method: 'PUT', headers, body, signal }, pathOf(key));
  };
  const makeContainer = (signal: AbortSignal): Promise<Result<BlobAnswer>> =>
    send({ method: 'PUT', signal }, `/${container}?restype=container`);
  return {
    put: async (key, logs, signal) => {
      const body = formatKeptLogs(logs, keptBytes);
      const first = await write(key, body, signal);
      if (!first.ok || !lacksContainer(first.value)) return settled(first, [201]);
      const made = settled(await makeContainer(signal), [201, 409]);
      return made.ok ? settled(await write(key, body, signal), [201]) : made;
    },
    get: async (key, signal) => {
      const answer = await send({ method: 'GET', signal }, pathOf(key));
      if (!answer.ok) return answer;
      if (isAbsent(answer.value)) return ok(undefined);
      return answer.value.status === 200
        ? ok(parseKeptLogs(answer.value.body))
        : fail(blobFault(answer.value, subject));
    },
    delete: async (key, signal) => {
      const answer = await send({ method: 'DELETE', signal }, pathOf(key));
      return answer.ok && isAbsent(answer.value) ? ok(undefined) : settled(answer, [202]);
    },
  };
}

const nowhere = (): Promise<Result<never>> =>
  Promise.resolve(
    fail({
      kind: 'rejected',
      code: 'NoBlobStorage',
      message: 'AzureWebJobsStorage names no Blob storage, so no log can be kept',
    }),
  );

/** With what shows who asks: a token comes later, a SAS is part of the URL, a key signs the request. */
function addressed(
  storage: BlobStorage,
  request: Omit<BlobRequest, 'headers' | 'url'> & Partial<BlobRequest>,
  path: string,
): BlobRequest {
  const { headers = {} } = request;
  const url = `${storage.endpoint}${path}`;
  switch (storage.kind) {
    case 'identity':
      return { ...request, headers, url };
    case 'sas':
      return { ...request, headers, url: `${url}${url.includes('?') ? '&' : '?'}${storage.sas}` };
    case 'key':
      return { ...request, headers: signedHeaders({ ...request, headers, url }, storage), url };
  }
}

const codeOf = (answer: BlobAnswer): string => answer.header('x-ms-error-code') ?? '';

const lacksContainer = (answer: BlobAnswer): boolean => answer.status === 404 && codeOf(answer) === 'ContainerNotFound';

const isAbsent = (answer: BlobAnswer): boolean =>
  answer.status === 404 && ['BlobNotFound', 'ContainerNotFound'].includes(codeOf(answer));

function settled(answer: Result<BlobAnswer>, statuses: readonly number[]): Result<void> {
  if (!answer.ok) return answer;
  return statuses.includes(answer.value.status) ? ok(undefined) : fail(blobFault(answer.value, subject));
}
