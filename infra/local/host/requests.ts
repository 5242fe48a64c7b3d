import type { IncomingMessage } from 'node:http';
import type { OutgoingResponse } from './http-mapping.ts';

/** An answer without a body. */
export function bare(status: number): OutgoingResponse {
  return { status, headers: [], body: new Uint8Array() };
}

/** Reads a body of at most `limit` bytes; undefined when it is larger or the client went away. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.byteLength;
    if (size > limit) {
      return undefined;
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The headers in the order they came, names as they were written. */
export function headerPairs(request: IncomingMessage): [string, string][] {
  const { rawHeaders } = request;
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? '',
    rawHeaders[index * 2 + 1] ?? '',
  ]);
}

/** The key that a request carries: the header, else the query's `code`. */
export function keyOf(request: IncomingMessage): string | undefined {
  const header = request.headers['x-functions-key'];
  if (typeof header === 'string') {
    return header;
  }
  return new URL(request.url ?? '/', 'http://localhost').searchParams.get('code') ?? undefined;
}
