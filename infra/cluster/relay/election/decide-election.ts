import type { ElectionRecord } from './election-record.ts';

/** As client-go's own defaults, and for the same reasons: a leader gives up before another may take over. */
export const leaseDurationMs = 15_000;
export const renewDeadlineMs = 10_000;
export const retryPeriodMs = 2_000;

/** A record, and when it was first seen to be so, in monotonic ms of our own. */
export interface Observed {
  readonly record: ElectionRecord;
  readonly changedAt: number;
}

export type ElectionDecision =
  /** It is ours already. */
  | { readonly kind: 'renew' }
  /** Nobody holds it, or its holder was silent for the whole of its duration. */
  | { readonly kind: 'acquire' }
  /** Somebody else holds it; to be read again in so many ms. */
  | { readonly kind: 'wait'; readonly forMs: number };

/** What was just read, at `now`. What is there counts, not the object's version: a label is no sign of life. */
export function observe(before: Observed | undefined, record: ElectionRecord, now: number): Observed {
  const isSame = before !== undefined && stateOf(before.record) === stateOf(record);
  return { record, changedAt: isSame ? before.changedAt : now };
}

/**
 * Whose turn it is, as client-go decides it: another's Lease may be taken when it was not seen to change for its own
 * duration, by our monotonic clock alone. `now` in monotonic ms.
 */
export function decideElection({ record, changedAt }: Observed, identity: string, now: number): ElectionDecision {
  const { holderIdentity, leaseDurationSeconds } = record;
  if (holderIdentity === identity) return { kind: 'renew' };
  if (holderIdentity === '') return { kind: 'acquire' };
  const leftMs = changedAt + (leaseDurationSeconds > 0 ? leaseDurationSeconds * 1000 : leaseDurationMs) - now;
  return leftMs <= 0 ? { kind: 'acquire' } : { kind: 'wait', forMs: Math.min(retryPeriodMs, leftMs) };
}

/** The record with which `identity` takes or keeps the Lease. `renewTime` is RFC 3339 with six decimals, for readers only. */
export function heldBy(record: ElectionRecord, identity: string, renewTime: string): ElectionRecord {
  const isOurs = record.holderIdentity === identity;
  return {
    resourceVersion: record.resourceVersion,
    holderIdentity: identity,
    leaseDurationSeconds: leaseDurationMs / 1000,
    acquireTime: isOurs && record.acquireTime !== '' ? record.acquireTime : renewTime,
    renewTime,
    leaseTransitions: record.leaseTransitions + (isOurs ? 0 : 1),
  };
}

/**
 * Until when a renewal that was taken holds, in monotonic ms. Counted from before it was sent: the API server, and so
 * every rival, saw it no sooner, and a rival waits 5 s longer.
 */
export const termEndsAt = (sentAt: number): number => sentAt + renewDeadlineMs;

/** The record with which a leader that goes leaves the Lease to whoever comes: nobody has to wait. */
export const released = (record: ElectionRecord, renewTime: string): ElectionRecord => ({
  ...record,
  holderIdentity: '',
  leaseDurationSeconds: 1,
  acquireTime: renewTime,
  renewTime,
});

const stateOf = ({ resourceVersion: _version, ...spec }: ElectionRecord): string => JSON.stringify(spec);
