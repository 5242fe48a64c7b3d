import { acceptsGzip } from '../core/agent/accepts-gzip.ts';
import { take } from '../core/budget/token-bucket.ts';
import type { BucketLimits, BucketState } from '../core/budget/token-bucket.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { KeptAgents, PackagedAgent, Program } from '../ports/packaged-agent.ts';
import { createFormerAgents } from './former-agents.ts';

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

export interface DownloadDeps {
  readonly agent: PackagedAgent;
  /** Undefined: the app's settings are not valid, so that nobody knows. */
  readonly kept: () => Promise<KeptAgents | undefined>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'timeout'>;
}

/** What anybody may have of one process: a burst of groups that start, and no more than that of the instance's line. */
const own: BucketLimits = { capacity: 40, refillPerSecond: 4 };
/** What anybody may make it ask of the storage: groups of former releases that start again, and hashes that nobody has. */
const former: BucketLimits = { capacity: 10, refillPerSecond: 1 };

/**
 * `GET /api/agent/{sha256}`: the program that the app was deployed with, under exactly its hash, as gzip where that is taken;
 * and those of former releases that it once handed out, for their groups that start again. Nobody is asked for who he is:
 * it is public code, and whoever fetches it compares the hash. No cluster is asked, and no setting is needed for the
 * app's own. A request costs some megabytes of the instance's line, of which one process gives away only so many.
 */
export function createAgentDownload({
  agent,
  kept,
  clock,
}: DownloadDeps): (request: DownloadRequest, log: Log) => Promise<DownloadAnswer> {
  const ofOwn = bucket(own, clock);
  const ofFormer = bucket(former, clock);
  const agents = createFormerAgents({ kept, clock });
  return async (request, log) => {
    const wanted = request.params['sha256'] ?? '';
    if (!/^[0-9a-f]{64}$/.test(wanted)) return notFound;
    if ((await agent.sha256()) !== wanted) {
      const waitMs = ofFormer();
      if (waitMs > 0) return busy(waitMs);
      const found = await agents.get(wanted, log);
      if (found === 'unknown') return unknown;
      return found === undefined ? notFound : (withoutBody(request, wanted) ?? sent(request, found));
    }
    const short = withoutBody(request, wanted);
    if (short !== undefined) return short;
    const waitMs = ofOwn();
    if (waitMs > 0) return busy(waitMs);
    const program = await agent.read();
    if (program === undefined) return notFound;
    await agents.keep(program, log);
    return sent(request, program);
  };
}

/** How long until there is more; 0: one is taken. */
function bucket(limits: BucketLimits, clock: Pick<Clock, 'monotonicMs'>): () => number {
  let state: BucketState = { tokens: limits.capacity, at: clock.monotonicMs() };
  return () => {
    const grant = take(state, limits, { now: clock.monotonicMs(), wanted: 1, reserve: 0 });
    state = grant.state;
    return grant.granted === 0 ? grant.waitMs : 0;
  };
}

/** What is answered without the program, if anything is. */
function withoutBody({ method, headers }: DownloadRequest, sha256: string): DownloadAnswer | undefined {
  const etag = `"${sha256}"`;
  const known = (headers.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag)) return { status: 304, headers: { ...unchanging, etag } };
  return method === 'HEAD' ? { status: 200, headers: { ...unchanging, ...binary, etag } } : undefined;
}

async function sent({ headers }: DownloadRequest, program: Program): Promise<DownloadAnswer> {
  const etag = `"${program.sha256}"`;
  return acceptsGzip(headers.get('accept-encoding'))
    ? {
        status: 200,
        headers: { ...unchanging, ...binary, etag: `W/${etag}`, 'content-encoding': 'gzip' },
        body: program.gzip,
      }
    : { status: 200, headers: { ...unchanging, ...binary, etag }, body: await program.unpacked() };
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
const unknown: DownloadAnswer = {
  status: 503,
  headers: { ...text, 'retry-after': '5' },
  body: 'the agents of former releases could not be asked for\n',
};
