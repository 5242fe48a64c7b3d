import { permitLifetimeMs, takeCharge } from '../../core/budget/plan.ts';
import type { Charge } from '../../core/budget/plan.ts';
import { fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import type { Bucket } from './bucket.ts';

/** The right to send one request, for a short time. */
export interface Permit {
  readonly expiresAtMs: number;
}

/** Permits of one charge that this process holds. */
export interface Permits {
  readonly kind: Charge['kind'];
  take(): Promise<Result<Permit>>;
  /** What `take` would answer from memory alone, when it would refuse. */
  knownRefusal(): Fault | undefined;
  /** Gives back a permit that was not used. */
  giveBack(permit: Permit): void;
}

const maxRounds = 5;
/** In a burst no more is taken at a time than the bucket fills up in so long: what is not used is lost to the others. */
const chunkOfMs = 600;
/** For so long at most an empty bucket is believed to be empty without another poll. */
const maxRefusalMs = 500;
/** A turn is no farther than this: what is known of the bucket may change meanwhile. */
const longestTurnMs = 60_000;

/**
 * Takes permits from the shared row as they are needed: tokens `chunk` at a time, because ARM's buckets fill up within
 * seconds, and more while they are used up before they expire; requests of a window only as many as somebody waits for,
 * because one that is lost is lost for an hour. Each who is refused, and leaves a part to the more urgent, is given a turn of
 * its own, as the bucket fills up: if all came back at once, one would find a permit. The urgent come back as soon as can be.
 */
export function createPermits(
  charge: Charge,
  bucket: Bucket,
  options: { readonly chunk: number; readonly monotonicMs: () => number },
): Permits {
  let held: Permit[] = [];
  let waiting = 0;
  const mostInChunk =
    charge.kind === 'tokens'
      ? Math.max(options.chunk, Math.floor((charge.limits.refillPerSecond * chunkOfMs) / 1000))
      : 1;
  let chunk = options.chunk;
  let refilling: Promise<Result<void>> | undefined;
  let refusal: { readonly untilMs: number; readonly retryAtMs: number } | undefined;
  /** Of the last who was refused. */
  let turnMs = Number.NEGATIVE_INFINITY;

  const pop = (): Permit | undefined => {
    const nowMs = options.monotonicMs();
    const valid = held.filter((permit) => permit.expiresAtMs > nowMs);
    if (valid.length < held.length) chunk = options.chunk;
    held = valid;
    return held.shift();
  };

  const turnAfter = (retryAtMs: number, nowMs: number): number => {
    if (charge.kind === 'window' || charge.reserve === 0) return retryAtMs;
    const ownMs = Math.max(retryAtMs, turnMs + 1000 / charge.limits.refillPerSecond);
    turnMs = Math.min(ownMs, Math.max(retryAtMs, nowMs + longestTurnMs));
    return turnMs;
  };

  const refused = (retryAtMs: number): Fault => {
    const nowMs = options.monotonicMs();
    const retryAfterMs = Math.max(1, Math.ceil(turnAfter(retryAtMs, nowMs) - nowMs));
    return { kind: 'throttled', retryAfterMs, message: `The budget ${charge.bucket} is used up.` };
  };

  const believed = (): Fault | undefined =>
    refusal !== undefined && refusal.untilMs > options.monotonicMs() ? refused(refusal.retryAtMs) : undefined;

  const refill = async (): Promise<Result<void>> => {
    const known = believed();
    if (known !== undefined) return fail(known);
    const taken = await bucket.update(charge, (state, now) => {
      // Counted from before the row is written: writing takes time, too.
      const expiresAtMs = options.monotonicMs() + permitLifetimeMs;
      const wanted = charge.kind === 'tokens' ? Math.max(chunk, waiting) : Math.max(1, waiting);
      const grant = takeCharge(state, charge, { now, wanted });
      const answer = { ...grant, expiresAtMs };
      return grant.granted > 0 ? { write: grant.state, answer } : { answer, doubtful: true };
    });
    if (!taken.ok) return taken;
    const { granted, waitMs, expiresAtMs } = taken.value;
    if (granted === 0) {
      const nowMs = options.monotonicMs();
      refusal = { untilMs: nowMs + Math.min(waitMs, maxRefusalMs), retryAtMs: nowMs + waitMs };
      return fail(refused(refusal.retryAtMs));
    }
    chunk = Math.min(chunk * 2, mostInChunk);
    held.push(...Array.from({ length: granted }, () => ({ expiresAtMs })));
    return ok(undefined);
  };

  const takeOne = async (): Promise<Result<Permit>> => {
    for (let round = 0; round < maxRounds; round += 1) {
      const permit = pop();
      if (permit !== undefined) return ok(permit);
      refilling ??= refill().finally(() => {
        refilling = undefined;
      });
      const refilled = await refilling;
      if (!refilled.ok) return refilled;
    }
    return fail({ kind: 'throttled', retryAfterMs: 1000, message: `The budget ${charge.bucket} is in great demand.` });
  };

  return {
    kind: charge.kind,
    take: async () => {
      waiting += 1;
      try {
        return await takeOne();
      } finally {
        waiting -= 1;
      }
    },
    knownRefusal: () => (held.some(({ expiresAtMs }) => expiresAtMs > options.monotonicMs()) ? undefined : believed()),
    giveBack: (permit) => void held.unshift(permit),
  };
}
