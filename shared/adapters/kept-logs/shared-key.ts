import { createHmac, randomUUID } from 'node:crypto';
import { blobApiVersion } from '../registrations/blob-client.ts';
import type { BlobRequest } from '../registrations/blob-client.ts';

export interface StorageKey {
  readonly account: string;
  /** Base64. */
  readonly key: string;
}

/** The request's headers with its signature, for who has the account's key (REST: Authorize with Shared Key). */
export function signedHeaders(
  request: Pick<BlobRequest, 'method' | 'url' | 'headers' | 'body'>,
  { account, key }: StorageKey,
): Readonly<Record<string, string>> {
  const { method, url, body = '' } = request;
  const headers = {
    ...request.headers,
    // Here, since it is signed too: the pipeline would add its own afterwards.
    'x-ms-client-request-id': randomUUID(),
    'x-ms-date': new Date().toUTCString(),
    'x-ms-version': blobApiVersion,
  };
  const length = Buffer.byteLength(body);
  const { pathname, searchParams } = new URL(url);
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-ms-'));
  const query = [...searchParams].map(([name, value]) => `${name}:${value}`);
  // Between the lines: encoding, language, MD5, date, conditions and range, none of which is sent.
  const lines = [
    [method, '', '', length === 0 ? '' : String(length), '', request.headers['content-type'] ?? ''].join('\n'),
    '\n'.repeat(5),
    ...own.map(([name, value]) => `${name}:${value}`).toSorted(),
    [`/${account}${pathname}`, ...query.toSorted()].join('\n'),
  ];
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(lines.join('\n')).digest('base64');
  return { ...headers, authorization: `SharedKey ${account}:${signature}` };
}
