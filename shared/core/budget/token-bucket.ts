/** A token bucket as data. `tokens` were there at `at` (ms); they grow by `refillPerSecond` up to `capacity`. */
export interface BucketState {
  readonly tokens: number;
  readonly at: number;
  /** Set by a 429: nothing is granted before. */
  readonly closedUntil?: number;
  /** Of a windowed budget (`window.ts`): grants per slot of time. */
  readonly slots?: readonly (readonly [slot: number, count: number])[];
  /** Of a windowed budget that is new or was refused: what may be granted while nobody knows what others have spent. */
  readonly presumed?: { readonly until: number; readonly left: number };
}

export interface BucketLimits {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

export interface Grant {
  readonly state: BucketState;
  readonly granted: number;
  /** How long until `wanted` above `reserve` could be had; 0 when anything was granted. */
  readonly waitMs: number;
}

/** A new bucket is empty: after a loss of the tables nobody knows what was spent. */
export const emptyBucket = (now: number): BucketState => ({ tokens: 0, at: now });

export function refill(state: BucketState, limits: BucketLimits, now: number): BucketState {
  const elapsedMs = Math.max(0, now - state.at);
  const tokens = Math.min(limits.capacity, state.tokens + (elapsedMs / 1000) * limits.refillPerSecond);
  return { ...state, tokens, at: Math.max(state.at, now) };
}

/** Takes up to `wanted` whole tokens, never going below `reserve`, which is kept for more urgent work. */
export function take(
  state: BucketState,
  limits: BucketLimits,
  request: { readonly now: number; readonly wanted: number; readonly reserve: number },
): Grant {
  const current = refill(state, limits, request.now);
  if (current.closedUntil !== undefined && current.closedUntil > request.now)
    return { state: current, granted: 0, waitMs: current.closedUntil - request.now };
  const granted = Math.max(0, Math.min(request.wanted, Math.floor(current.tokens - request.reserve)));
  if (granted > 0) return { state: { ...current, tokens: current.tokens - granted }, granted, waitMs: 0 };
  const missing = 1 + request.reserve - current.tokens;
  return { state: current, granted: 0, waitMs: Math.ceil((missing / limits.refillPerSecond) * 1000) };
}

/** A 429 empties the bucket and closes it for the time the server named. */
export const close = (state: BucketState, now: number, retryAfterMs: number): BucketState => ({
  ...state,
  tokens: 0,
  at: now,
  closedUntil: now + retryAfterMs,
});

/** What the server says remains is the truth when it is less than what we believe. */
export const observeRemaining = (state: BucketState, remaining: number): BucketState =>
  remaining < state.tokens ? { ...state, tokens: remaining } : state;
