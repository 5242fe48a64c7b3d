import type { BucketState, Grant } from './token-bucket.ts';

/**
 * Budgets of the kind "at most 100 in 5 minutes and 300 in 1 hour" (docs/aci.md, Budgets). Whether Azure's windows slide or are
 * fixed is unknown, so no window at all, wherever it begins, may hold more than its limit. A token bucket cannot
 * promise that without halving the rate (capacity + refill in one window); counting grants per slot of time can, and
 * loses only one slot's length of it. One row serves all windows, because they count the same requests.
 */
export interface WindowLimits {
  readonly rules: readonly { readonly windowMs: number; readonly limit: number }[];
  /** Grants are counted per slot of this length; each counts until its slot's end has left the window. */
  readonly slotMs: number;
  /** How much later than granted a permit may be used, clock differences included. */
  readonly lagMs: number;
}

/**
 * A new row, after a loss of the tables: nobody knows what was spent before. For the length of the longest window one
 * grant a slot trickles, enough to learn from ARM's answer: what remains, if it says, else whether it accepts.
 */
export function emptyWindow(now: number, limits: WindowLimits): BucketState {
  return { tokens: 0, at: now, slots: [], presumed: { until: now + longestMs(limits) + limits.lagMs, left: 0 } };
}

/** So many pods of a first installation start at once. */
const firstBurst = 20;
/** One accepted call whose answer does not say what remains opens the budget for itself and three more. */
const openedByAccepted = 4;
/** While answers are on their way nobody need ask more often. */
const soonestAnswerMs = 250;

/**
 * The row of a first installation: nothing of ours was spent before, and what others spend is unknown. A first burst may
 * go out at once; what follows opens it further or closes it.
 */
export function openWindow(now: number, limits: WindowLimits): BucketState {
  const { presumed, ...rest } = emptyWindow(now, limits);
  return presumed === undefined ? rest : { ...rest, presumed: { ...presumed, left: firstBurst } };
}

/** Takes up to `wanted` grants. The time until one could be had is exact as far as our own grants go. */
export function takeWindow(
  state: BucketState,
  limits: WindowLimits,
  request: { readonly now: number; readonly wanted: number },
): Grant {
  const current = advance(state, limits, request.now);
  const { at } = current;
  if (current.closedUntil !== undefined && current.closedUntil > at)
    return { state: current, granted: 0, waitMs: current.closedUntil - at };
  const available = Math.min(remaining(current, limits), presumedAllowance(current, limits));
  const granted = Math.max(0, Math.min(Math.floor(request.wanted), available));
  if (granted > 0) return { state: addGrants(current, limits, granted), granted, waitMs: 0 };
  const nextSlotMs = (slotOf(at, limits) + 1) * limits.slotMs - at;
  const blocked = presumedAllowance(current, limits) < 1 ? nextSlotMs : 0;
  return {
    state: current,
    granted: 0,
    waitMs: Math.max(1, blocked, ...limits.rules.map((rule) => ruleWaitMs(current, limits, rule))),
  };
}

/**
 * ARM's `…-resource-requests-pt5m|-pt1h` header. Less than we believe means that somebody else spends, too: the
 * difference counts as spent now. After a rebirth it is what may be granted, less the permits that may not have been
 * used yet.
 */
export function observeWindow(
  state: BucketState,
  limits: WindowLimits,
  seen: { readonly now: number; readonly remaining: number },
): BucketState {
  const current = advance(state, limits, seen.now);
  const foreign = Math.max(0, remaining(current, limits) - seen.remaining);
  const counted = foreign > 0 ? addCount(current, limits, foreign) : current;
  if (current.presumed === undefined) return counted;
  return { ...counted, presumed: { ...current.presumed, left: leftAfter(current, limits, seen.remaining) } };
}

/**
 * Calls that the server accepted without reporting what remains. Nobody can know that it would accept more but by its
 * accepting: so each of them opens a presumed budget further, and what was granted and not accepted does not.
 */
export function acceptWindow(
  state: BucketState,
  limits: WindowLimits,
  seen: { readonly now: number; readonly accepted: number },
): BucketState {
  const current = advance(state, limits, seen.now);
  const { presumed } = current;
  if (presumed === undefined) return current;
  const opened = Math.min(remaining(current, limits), presumed.left + openedByAccepted * seen.accepted);
  return { ...current, presumed: { ...presumed, left: Math.max(presumed.left, opened) } };
}

/**
 * A 429, whatever we have counted: somebody else spends. Half of what was left is presumed from now on, and one call at
 * least, so that it is a call that finds out when the server accepts again.
 */
export function refuseWindow(state: BucketState, limits: WindowLimits, now: number): BucketState {
  const current = advance(state, limits, now);
  const left = Math.min(remaining(current, limits), current.presumed?.left ?? Number.POSITIVE_INFINITY);
  const until = current.at + longestMs(limits) + limits.lagMs;
  return { ...current, presumed: { until, left: Math.max(1, Math.floor(left / 2)) } };
}

/** What ARM's count would leave to grant under a presumption: less the permits that may not have been used yet. */
export const leftAfter = (state: BucketState, limits: WindowLimits, remainingThere: number): number =>
  Math.max(0, remainingThere - countSince(state, limits, state.at - limits.lagMs));

/**
 * When a taker that got nothing asks again, at the latest after `waitMs`. Where only evidence is missing, the answers to
 * the last grants may bring it any moment, the less likely the longer they are out.
 */
export function askAgainMs(
  state: BucketState,
  limits: WindowLimits,
  { now, waitMs }: { readonly now: number; readonly waitMs: number },
): number {
  const current = advance(state, limits, now);
  const isClosed = current.closedUntil !== undefined && current.closedUntil > current.at;
  const isEvidenceMissing = presumedAllowance(current, limits) < 1 && remaining(current, limits) >= 1;
  if (isClosed || !isEvidenceMissing) return waitMs;
  return Math.min(waitMs, Math.max(soonestAnswerMs, current.at - state.at));
}

/** What all windows have left, whatever is presumed. */
export function remaining(state: BucketState, limits: WindowLimits): number {
  return Math.min(...limits.rules.map((rule) => rule.limit - used(state, limits, rule)));
}

const longestMs = (limits: WindowLimits): number => Math.max(...limits.rules.map((rule) => rule.windowMs));

const slotOf = (time: number, limits: WindowLimits): number => Math.floor(time / limits.slotMs);

/** Time never goes back; slots that have left the longest window are forgotten. */
function advance(state: BucketState, limits: WindowLimits, now: number): BucketState {
  const at = Math.max(state.at, now);
  const slots = (state.slots ?? []).filter(([slot]) => expiry(slot, limits, longestMs(limits)) > at);
  const { presumed, ...rest } = state;
  const stillPresumed = presumed !== undefined && presumed.until > at ? { presumed } : {};
  return { ...rest, at, slots, ...stillPresumed };
}

/** When the last grant of a slot has left a window. */
const expiry = (slot: number, limits: WindowLimits, windowMs: number): number =>
  (slot + 1) * limits.slotMs + windowMs + limits.lagMs;

const used = (state: BucketState, limits: WindowLimits, rule: { readonly windowMs: number }): number =>
  (state.slots ?? []).reduce(
    (sum, [slot, count]) => (expiry(slot, limits, rule.windowMs) > state.at ? sum + count : sum),
    0,
  );

const countSince = (state: BucketState, limits: WindowLimits, since: number): number =>
  (state.slots ?? []).reduce((sum, [slot, count]) => ((slot + 1) * limits.slotMs > since ? sum + count : sum), 0);

function presumedAllowance(state: BucketState, limits: WindowLimits): number {
  if (state.presumed === undefined) return Number.POSITIVE_INFINITY;
  const current = slotOf(state.at, limits);
  const trickle = (state.slots ?? []).some(([slot]) => slot === current) ? 0 : 1;
  return Math.max(trickle, Math.floor(state.presumed.left));
}

function addGrants(state: BucketState, limits: WindowLimits, granted: number): BucketState {
  const counted = addCount(state, limits, granted);
  if (state.presumed === undefined) return counted;
  return { ...counted, presumed: { ...state.presumed, left: Math.max(0, state.presumed.left - granted) } };
}

function addCount(state: BucketState, limits: WindowLimits, count: number): BucketState {
  const current = slotOf(state.at, limits);
  const others = (state.slots ?? []).filter(([slot]) => slot !== current);
  const before = (state.slots ?? []).find(([slot]) => slot === current)?.[1] ?? 0;
  return { ...state, slots: [...others, [current, before + count]] };
}

function ruleWaitMs(
  state: BucketState,
  limits: WindowLimits,
  rule: { readonly windowMs: number; readonly limit: number },
): number {
  let excess = used(state, limits, rule) - rule.limit + 1;
  if (excess <= 0) return 0;
  const live = (state.slots ?? [])
    .filter(([slot]) => expiry(slot, limits, rule.windowMs) > state.at)
    .sort((a, b) => a[0] - b[0]);
  for (const [slot, count] of live) {
    excess -= count;
    if (excess <= 0) return expiry(slot, limits, rule.windowMs) - state.at;
  }
  return rule.windowMs;
}
