import type { TokenCredential } from '@azure/core-auth';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { BlobStorage } from '../../wire/storage-settings.ts';
import { createBlobClient } from '../registrations/blob-client.ts';
import type { BlobRequest } from '../registrations/blob-client.ts';
import { blobFault } from '../registrations/blob-faults.ts';
import type { BlobAnswer, BlobSubject } from '../registrations/blob-faults.ts';
import { signedHeaders } from './shared-key.ts';

export interface BlobContainerConfig {
  /** Undefined: the settings name none, and every call is refused (`NoBlobStorage`). */
  readonly storage: BlobStorage | undefined;
  /** Who asks, where the storage is reached by identity: needs the role Storage Blob Data Contributor. */
  readonly credential: TokenCredential;
  readonly container: string;
  /** What is in it, for the messages of faults: "the logs that are kept". */
  readonly holds: string;
}

/** A blob's name, part by part. */
export type BlobPath = readonly string[];

/** Texts in a container of the storage account that holds the tables too. One request each, but for the first put of all. */
export interface BlobContainer {
  /** Whatever was there before; makes the container where there is none. */
  put(path: BlobPath, body: string, signal: AbortSignal): Promise<Result<void>>;
  /** Undefined: there is none. */
  get(path: BlobPath, signal: AbortSignal): Promise<Result<string | undefined>>;
  has(path: BlobPath, signal: AbortSignal): Promise<Result<boolean>>;
  /** Succeeds when there is none. */
  delete(path: BlobPath, signal: AbortSignal): Promise<Result<void>>;
}

type Sent = Omit<BlobRequest, 'headers' | 'url'> & Partial<BlobRequest>;

export function createBlobContainer({ storage, credential, container, holds }: BlobContainerConfig): BlobContainer {
  const subject = { name: holds, role: 'Storage Blob Data Contributor' };
  if (storage === undefined) {
    const refused = () => Promise.resolve(nowhere(holds));
    return { put: refused, get: refused, has: refused, delete: refused };
  }
  const client = createBlobClient(storage.kind === 'identity' ? { credential } : {});
  const send = (request: Sent, path: string) => client(addressed(storage, request, path));
  const at = (path: BlobPath): string => ['', container, ...path].map(encodeURIComponent).join('/');
  const write = (path: BlobPath, body: string, signal: AbortSignal): Promise<Result<BlobAnswer>> => {
    const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'text/plain; charset=utf-8' };
    return send({ method: 'PUT', headers, body, signal }, at(path));
  };
  return {
    put: async (path, body, signal) => {
      const settle = settled(subject);
      const first = await write(path, body, signal);
      if (!first.ok || !lacksContainer(first.value)) return settle(first, [201]);
      const made = settle(await send({ method: 'PUT', signal }, `/${container}?restype=container`), [201, 409]);
      return made.ok ? settle(await write(path, body, signal), [201]) : made;
    },
    get: async (path, signal) => {
      const answer = await send({ method: 'GET', signal }, at(path));
      if (!answer.ok) return answer;
      if (isAbsent(answer.value)) return ok(undefined);
      return answer.value.status === 200 ? ok(answer.value.body) : fail(blobFault(answer.value, subject));
    },
    has: async (path, signal) => {
      const answer = await send({ method: 'HEAD', signal }, at(path));
      if (!answer.ok) return answer;
      if (isAbsent(answer.value)) return ok(false);
      return answer.value.status === 200 ? ok(true) : fail(blobFault(answer.value, subject));
    },
    delete: async (path, signal) => {
      const answer = await send({ method: 'DELETE', signal }, at(path));
      return answer.ok && isAbsent(answer.value) ? ok(undefined) : settled(subject)(answer, [202]);
    },
  };
}

const nowhere = (holds: string): Result<never> =>
  fail({
    kind: 'rejected',
    code: 'NoBlobStorage',
    message: `AzureWebJobsStorage names no Blob storage, so there is no place for ${holds}`,
  });

/** With what shows who asks: a token comes later, a SAS is part of the URL, a key signs the request. */
function addressed(storage: BlobStorage, request: Sent, path: string): BlobRequest {
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

const settled =
  (subject: BlobSubject) =>
  (answer: Result<BlobAnswer>, statuses: readonly number[]): Result<void> => {
    if (!answer.ok) return answer;
    return statuses.includes(answer.value.status) ? ok(undefined) : fail(blobFault(answer.value, subject));
  };
