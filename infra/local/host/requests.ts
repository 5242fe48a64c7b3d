import type { IncomingMessage } from 'node:http';
import type { OutgoingResponse } from './http-mapping.ts';

/** An answer without a body. */
export function bare(status: number): OutgoingResponse {
  return { status, headers: [], body: new Uint8Array() };
}

/**
 * Reads a body of at most `limit` bytes; undefined when it claims to be larger. One without a declared length is not read:
 * without streaming it reaches no function.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limit) return undefined;
  if (length === 0) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
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
  if (typeof header === 'string') return header;
  return new URL(request.url ?? '/', 'http://localhost').searchParams.get('code') ?? undefined;
}
