import { parseHttpDate } from './http-date.ts';

/**
 * The API server's time, from the `Date` headers of its answers. A `Date` header is cut to whole seconds and old by
 * the way back, so every estimate is at most the true time, and never ahead of it: renewTime may be taken from it.
 */
export interface ServerClock {
  /** ms since the epoch; undefined before the first answer. */
  now(): number | undefined;
  /** Takes the `Date` header of an answer; anything that is not a date is ignored. */
  observe(dateHeader: string | undefined): void;
}

/** The header has whole seconds: two servers that agree may seem this far apart. */
const truncationMs = 2000;

/** `monotonic` is a clock in ms that never goes back. */
export function createServerClock(monotonic: () => number = () => performance.now()): ServerClock {
  let base: { readonly serverMs: number; readonly atMs: number } | undefined;
  const now = (): number | undefined =>
    base === undefined ? undefined : base.serverMs + Math.floor(monotonic() - base.atMs);
  return {
    now,
    observe: (dateHeader) => {
      const sampleMs = parseHttpDate(dateHeader);
      if (Number.isNaN(sampleMs)) return;
      // Of two lower bounds the greater is the better one, unless the server's own clock was set back.
      const estimateMs = now();
      const keep = estimateMs !== undefined && estimateMs >= sampleMs && estimateMs - sampleMs < truncationMs;
      if (!keep) base = { serverMs: sampleMs, atMs: monotonic() };
    },
  };
}
