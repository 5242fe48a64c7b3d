/** One poll of a node's Lease. Times are monotonic ms. */
export interface LeaseReading {
  readonly node: 'present' | 'absent' | 'unknown';
  /** `renewTime` in µs since the epoch; `unknown` when it could not be read. */
  readonly lease: { readonly renewTimeMicros: number } | 'absent' | 'unknown';
}

export interface RenewalState {
  /** The last renewTime seen or written; undefined before the first, or while there is no Lease. */
  readonly renewTimeMicros: number | undefined;
  /** When somebody else than we was last seen to renew it. */
  readonly movedAt: number;
  /** The first and the last tick since then. */
  readonly ticks: Row | undefined;
  /** Our own renewals since then. */
  readonly renewals: Row | undefined;
}

interface Row {
  readonly firstAt: number;
  readonly lastAt: number;
}

/** `renew`: write the Lease; `announce`: one event on the Node, with the first of a row of renewals. */
export interface RenewalActions {
  readonly tick: boolean;
  readonly renew: boolean;
  readonly announce: boolean;
}

export const silentAfterMs = 20_000;
export const renewAfterTickMs = 10_000;
const tickEveryMs = 10_000;
const renewEveryMs = 10_000;
const renewForMs = 10 * 60_000;
const pollMs = 5000;

export const startRenewal = (now: number): RenewalState => ({
  renewTimeMicros: undefined,
  movedAt: now,
  ticks: undefined,
  renewals: undefined,
});

/**
 * Rule 13 of docs/architecture.md: a Lease that was not renewed for 20 s, or a Node that is gone, asks for a tick, every 10 s while it lasts.
 * 10 s after the first tick, whatever the app answered, a Lease that is still not renewed is renewed, if both it and its Node are
 * there, every 10 s for at most 10 minutes. Own renewals are no movement. Nothing is decided on what could not be read.
 */
export function planRenewal(
  before: RenewalState,
  reading: LeaseReading,
  now: number,
): { readonly state: RenewalState; readonly actions: RenewalActions } {
  const seen = observe(before, reading, now);
  const isStill = now - seen.movedAt >= silentAfterMs;
  const isSilent = isStill && reading.lease !== 'unknown';
  // A Node that came back ends the row of ticks that its absence began.
  const state = reading.node === 'present' && !isStill ? { ...seen, ticks: undefined } : seen;
  if (!isSilent && reading.node !== 'absent') return { state, actions: none };
  const tick = state.ticks === undefined || now - state.ticks.lastAt >= tickEveryMs;
  const ticks = tick ? after(state.ticks, now) : state.ticks;
  const isThere = reading.node === 'present' && typeof reading.lease === 'object';
  if (!isSilent || !isThere || !isTimeToRenew(state, now))
    return { state: { ...state, ticks }, actions: { tick, renew: false, announce: false } };
  return {
    state: { ...state, ticks, renewals: after(state.renewals, now) },
    actions: { tick, renew: true, announce: state.renewals === undefined },
  };
}

/** After our own write was taken. */
export const renewed = (state: RenewalState, renewTimeMicros: number): RenewalState => ({ ...state, renewTimeMicros });

/** When to read again: every 5 s, and just when a threshold is reached. */
export function nextReadInMs(state: RenewalState, now: number): number {
  const thresholds = [
    state.movedAt + silentAfterMs,
    ...(state.ticks === undefined ? [] : [state.ticks.firstAt + renewAfterTickMs]),
  ].filter((at) => at > now);
  return Math.max(100, Math.min(pollMs, ...thresholds.map((at) => at - now)));
}

const after = (row: Row | undefined, now: number): Row => ({ firstAt: row?.firstAt ?? now, lastAt: now });

const none: RenewalActions = { tick: false, renew: false, announce: false };

function observe(state: RenewalState, { node, lease }: LeaseReading, now: number): RenewalState {
  if (lease === 'unknown') return state;
  if (lease === 'absent') return { ...state, renewTimeMicros: undefined };
  const { renewTimeMicros } = lease;
  if (renewTimeMicros === state.renewTimeMicros) return state;
  // While the Node is gone its own row of ticks goes on.
  const ticks = node === 'absent' ? state.ticks : undefined;
  return { renewTimeMicros, movedAt: now, ticks, renewals: undefined };
}

function isTimeToRenew({ ticks, renewals }: RenewalState, now: number): boolean {
  if (ticks === undefined || now - ticks.firstAt < renewAfterTickMs) return false;
  if (renewals === undefined) return true;
  return now - renewals.lastAt >= renewEveryMs && now - renewals.firstAt <= renewForMs;
}
