import { acceptsGzip } from '../core/agent/accepts-gzip.ts';
import { take } from '../core/budget/token-bucket.ts';
import type { BucketState } from '../core/budget/token-bucket.ts';
import type { Clock } from '../ports/clock.ts';
import type { PackagedAgent } from '../ports/packaged-agent.ts';

/** What it looks at of a request; the shape of `HttpRequest`. */
export interface DownloadRequest {
  readonly method: string;
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
}

export interface DownloadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** What anybody may have of one process: a burst of groups that start, and no more than that of the instance's line. */
const limits = { capacity: 40, refillPerSecond: 4 };

/**
 * `GET /api/agent/{sha256}`: the program that the app was deployed with, under exactly its hash, as gzip where that is taken.
 * Nobody is asked for who he is: it is public code, and whoever fetches it compares the hash. No setting is read, no
 * cluster asked; a request costs some megabytes of the instance's line, of which one process gives away only so many.
 */
export function createAgentDownload(
  agent: PackagedAgent,
  clock: Pick<Clock, 'monotonicMs'>,
): (request: DownloadRequest) => Promise<DownloadAnswer> {
  let bucket: BucketState = { tokens: limits.capacity, at: clock.monotonicMs() };
  return async ({ method, headers, params }) => {
    const wanted = params['sha256'] ?? '';
    if (!/^[0-9a-f]{64}$/.test(wanted) || (await agent.sha256()) !== wanted) return notFound;
    const etag = `"${wanted}"`;
    const known = (headers.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (known.includes(etag)) return { status: 304, headers: { ...unchanging, etag } };
    if (method === 'HEAD') return { status: 200, headers: { ...unchanging, ...binary, etag } };
    const grant = take(bucket, limits, { now: clock.monotonicMs(), wanted: 1, reserve: 0 });
    bucket = grant.state;
    if (grant.granted === 0) return busy(grant.waitMs);
    const program = await agent.read();
    if (program === undefined) return notFound;
    return acceptsGzip(headers.get('accept-encoding'))
      ? {
          status: 200,
          headers: { ...unchanging, ...binary, etag: `W/${etag}`, 'content-encoding': 'gzip' },
          body: program.gzip,
        }
      : { status: 200, headers: { ...unchanging, ...binary, etag }, body: await program.unpacked() };
  };
}

const binary = { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' };
/** A hash names the same bytes for ever. */
const unchanging = { 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' };

const text = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
const notFound: DownloadAnswer = {
  status: 404,
  headers: text,
  body: 'this app has no agent of that hash\n',
};
const busy = (waitMs: number): DownloadAnswer => ({
  status: 429,
  headers: { ...text, 'retry-after': String(Math.ceil(waitMs / 1000)) },
  body: 'too many downloads at once\n',
});
