import { close, emptyBucket, observeRemaining, refill, take } from './token-bucket.ts';
import type { BucketLimits, BucketState, Grant } from './token-bucket.ts';
import {
  acceptWindow,
  askAgainMs,
  emptyWindow,
  leftAfter,
  observeWindow,
  openWindow,
  refuseWindow,
  remaining,
  takeWindow,
} from './window.ts';
import type { WindowLimits } from './window.ts';

/** What ARM and ACI allow one service principal in one subscription and region (docs/aci.md, Budgets). */
export interface ArmLimits {
  readonly reads: BucketLimits;
  readonly writes: BucketLimits;
  readonly deletes: BucketLimits;
  readonly createsPer5Minutes: number;
  readonly createsPerHour: number;
  readonly deletesPer5Minutes: number;
  readonly deletesPerHour: number;
}

/** The documented figures of an ordinary subscription. */
export const defaultArmLimits: ArmLimits = {
  reads: { capacity: 250, refillPerSecond: 25 },
  writes: { capacity: 200, refillPerSecond: 10 },
  deletes: { capacity: 200, refillPerSecond: 10 },
  createsPer5Minutes: 100,
  createsPerHour: 300,
  deletesPer5Minutes: 100,
  deletesPerHour: 300,
};

/** A permit that was taken from a row is used within this time, or lost. */
export const permitLifetimeMs = 1500;
/** Two instances' readings of the Table service's time differ by less. */
const clockDifferenceMs = 1000;
const lagMs = permitLifetimeMs + clockDifferenceMs;
const slotMs = 15_000;
const fiveMinutesMs = 300_000;
const hourMs = 3_600_000;
/**
 * Logs take at most this part of the reads, metrics too, and polls that can wait leave it to those that can't; this part of
 * the writes is kept for ending groups (rule 9 of docs/architecture.md), and streams take at most as much.
 */
const share = 1 / 5;
/** Streams stop where so much of the writes is left: what creates may take, and what is kept from them. */
const createsAndEnds = 2 * share;
/** Words to agents take at most this part of the writes, and none of what is kept for ending groups: pods that are deleted wait for them. */
const wordShare = 1 / 2;

/** So much of ACI's windows is taken in all when a group that was refused before is no longer tried: the rest is for first tries. */
const retryShare = 2 / 3;

/** What is spent at ARM; the same words as the port's. */
export type SpendKind =
  | 'read-poll'
  | 'read-watch'
  | 'read-metrics'
  | 'read-logs'
  | 'write-create'
  | 'write-retry'
  | 'write-stream'
  | 'write-word'
  | 'write-end'
  | 'delete';
/** Which of ARM's buckets each is taken from, as ARM's headers name them. */
export const armBuckets = {
  'read-poll': 'reads',
  'read-watch': 'reads',
  'read-metrics': 'reads',
  'read-logs': 'reads',
  'write-create': 'writes',
  'write-retry': 'writes',
  'write-stream': 'writes',
  'write-word': 'writes',
  'write-end': 'writes',
  delete: 'deletes',
} as const satisfies Record<SpendKind, string>;
const everySpend: readonly SpendKind[] = [
  'read-poll',
  'read-watch',
  'read-metrics',
  'read-logs',
  // Of two that draw on one bucket the later speaks for it: it is the whole of it.
  'write-stream',
  'write-word',
  'write-retry',
  'write-create',
  'write-end',
  'delete',
];
type BucketName =
  | 'reads'
  | 'metrics'
  | 'logs'
  | 'writes'
  | 'streams'
  | 'words'
  | 'deletes'
  | 'create-requests'
  | 'delete-requests';

/** One bucket that a spend draws on. `reserve` stays for more urgent work. */
export type Charge =
  | { readonly kind: 'tokens'; readonly bucket: BucketName; readonly limits: BucketLimits; readonly reserve: number }
  | { readonly kind: 'window'; readonly bucket: BucketName; readonly limits: WindowLimits };

export interface SpendPlan {
  /** A permit of each is needed. */
  readonly charges: readonly Charge[];
  /**
   * What a 429 closes. For creates that is their window alone: if it is ARM's writes that are used up, those who end
   * groups learn it from their own 429, and a window that is closed for minutes must not keep groups from ending.
   */
  readonly closes: Charge;
  /** What ARM's `x-ms-ratelimit-remaining-subscription-reads|-writes|-deletes` speaks of. */
  readonly metered: Charge;
  /** What `…-resource-requests-pt5m|-pt1h` speaks of. */
  readonly windowed: Charge | undefined;
}

/** Which buckets a spend draws on, with which reserve. */
export function planSpend(spend: SpendKind, limits: ArmLimits): SpendPlan {
  const reads = tokens('reads', limits.reads);
  switch (spend) {
    case 'read-poll':
      return { charges: [reads], closes: reads, metered: reads, windowed: undefined };
    case 'read-watch': {
      const watches = tokens('reads', limits.reads, share);
      return { charges: [watches], closes: watches, metered: watches, windowed: undefined };
    }
    case 'read-metrics': {
      const metrics = tokens('metrics', sharedReads(limits));
      // Azure Monitor has limits of its own: when it has had enough, ARM has not.
      return {
        charges: [metrics, tokens('reads', limits.reads, share)],
        closes: metrics,
        metered: reads,
        windowed: undefined,
      };
    }
    case 'read-logs': {
      const logs = tokens('logs', sharedReads(limits));
      return { charges: [logs, reads], closes: reads, metered: reads, windowed: undefined };
    }
    case 'write-create': {
      const writes = tokens('writes', limits.writes, share);
      const creates = windows('create-requests', limits.createsPer5Minutes, limits.createsPerHour);
      return { charges: [writes, creates], closes: creates, metered: writes, windowed: creates };
    }
    case 'write-retry': {
      const first = planSpend('write-create', limits);
      const of = (limit: number): number => Math.max(1, Math.floor(limit * retryShare));
      const retries = windows('create-requests', of(limits.createsPer5Minutes), of(limits.createsPerHour));
      return { ...first, charges: first.charges.map((charge) => (charge.kind === 'window' ? retries : charge)) };
    }
    case 'write-stream': {
      const { capacity, refillPerSecond } = limits.writes;
      const streams = tokens('streams', { capacity: capacity * share, refillPerSecond: refillPerSecond * share });
      const writes = tokens('writes', limits.writes, createsAndEnds);
      // As for creates: who ends groups learns from a 429 of his own that ARM's writes are used up.
      return { charges: [streams, writes], closes: streams, metered: writes, windowed: undefined };
    }
    case 'write-word': {
      const { capacity, refillPerSecond } = limits.writes;
      const words = tokens('words', {
        capacity: capacity * wordShare,
        refillPerSecond: refillPerSecond * wordShare,
      });
      const writes = tokens('writes', limits.writes, share);
      return { charges: [words, writes], closes: words, metered: writes, windowed: undefined };
    }
    case 'write-end': {
      const writes = tokens('writes', limits.writes);
      return { charges: [writes], closes: writes, metered: writes, windowed: undefined };
    }
    case 'delete':
      break;
  }
  const deletes = tokens('deletes', limits.deletes);
  const requests = windows('delete-requests', limits.deletesPer5Minutes, limits.deletesPerHour);
  return { charges: [deletes, requests], closes: requests, metered: deletes, windowed: requests };
}

const sharedReads = ({ reads: { capacity, refillPerSecond } }: ArmLimits): BucketLimits => ({
  capacity: capacity * share,
  refillPerSecond: refillPerSecond * share,
});

/** One charge of each bucket. */
export function everyCharge(limits: ArmLimits): readonly Charge[] {
  const charges = everySpend.flatMap((spend) => planSpend(spend, limits).charges);
  return [...new Map(charges.map((charge) => [charge.bucket, charge])).values()];
}

/** ARM's bucket fills up while a permit waits to be used: what could be added in that time is left out of ours. */
function tokens(bucket: BucketName, limits: BucketLimits, reserved = 0): Charge {
  const capacity = Math.max(1, limits.capacity - (limits.refillPerSecond * lagMs) / 1000);
  return { kind: 'tokens', bucket, limits: { ...limits, capacity }, reserve: Math.floor(capacity * reserved) };
}

function windows(bucket: BucketName, per5Minutes: number, perHour: number): Charge {
  const rules = [
    { windowMs: fiveMinutesMs, limit: per5Minutes },
    { windowMs: hourMs, limit: perHour },
  ];
  return { kind: 'window', bucket, limits: { rules, slotMs, lagMs } };
}

/** A row that was not there starts empty: nobody knows what was spent before. */
export const newBucket = (charge: Charge, now: number): BucketState =>
  charge.kind === 'tokens' ? emptyBucket(now) : emptyWindow(now, charge.limits);

/**
 * The row of a first installation. ARM's buckets are those of one identity, which has asked nothing yet: they are full.
 * ACI's windows are shared with whoever else uses the subscription: a first burst may go out.
 */
export const openBucket = (charge: Charge, now: number): BucketState =>
  charge.kind === 'tokens' ? { tokens: charge.limits.capacity, at: now } : openWindow(now, charge.limits);

export function takeCharge(
  state: BucketState,
  charge: Charge,
  request: { readonly now: number; readonly wanted: number },
): Grant {
  if (charge.kind === 'tokens') return take(state, charge.limits, { ...request, reserve: charge.reserve });
  const grant = takeWindow(state, charge.limits, request);
  if (grant.granted > 0) return grant;
  return { ...grant, waitMs: askAgainMs(state, charge.limits, { now: request.now, waitMs: grant.waitMs }) };
}

/** Calls that ARM accepted without reporting what remains of a window. Tokens come back by themselves. */
export const acceptCharge = (
  state: BucketState,
  charge: Charge,
  seen: { readonly now: number; readonly accepted: number },
): BucketState => (charge.kind === 'tokens' ? state : acceptWindow(state, charge.limits, seen));

/** So little is left of a presumed budget that what is learnt must not wait for the next grant. */
const scarce = 10;
export const isScarce = ({ presumed }: BucketState): boolean => presumed !== undefined && presumed.left < scarce;

/** ARM's count of what remains: the truth when it is less than what we believe. */
export function observeCharge(
  state: BucketState,
  charge: Charge,
  seen: { readonly now: number; readonly remaining: number },
): BucketState {
  return charge.kind === 'tokens'
    ? observeRemaining(refill(state, charge.limits, seen.now), seen.remaining)
    : observeWindow(state, charge.limits, seen);
}

/** Whether such a count would change anything. */
export function isNews(
  state: BucketState,
  charge: Charge,
  seen: { readonly now: number; readonly remaining: number },
): boolean {
  if (charge.kind === 'tokens') return seen.remaining < Math.floor(refill(state, charge.limits, seen.now).tokens);
  if (seen.remaining < remaining(state, charge.limits)) return true;
  if (state.presumed === undefined) return false;
  const { left } = state.presumed;
  return seen.remaining < left || (isScarce(state) && leftAfter(state, charge.limits, seen.remaining) > left);
}

/** Longest time that a Retry-After may close a bucket: the longest of ACI's windows. */
const maxClosedMs = hourMs;

/**
 * A 429: nothing is granted for the time that the server named, and never a shorter time than named before. Of a window
 * half is left afterwards, until calls are accepted or ARM reports more.
 */
export function closeCharge(
  state: BucketState,
  charge: Charge,
  seen: { readonly now: number; readonly retryAfterMs: number },
): BucketState {
  const retryAfterMs = Math.min(maxClosedMs, Math.max(0, seen.retryAfterMs));
  const closedUntil = Math.max(state.closedUntil ?? 0, seen.now + retryAfterMs);
  return charge.kind === 'tokens'
    ? { ...close(state, seen.now, retryAfterMs), closedUntil }
    : { ...refuseWindow(state, charge.limits, seen.now), closedUntil };
}
