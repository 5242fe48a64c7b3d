import type { Lease } from '../kubernetes/node.ts';

export const leaseDurationSeconds = 40;

/** Another writer's idea of the API server's time may be this much newer than ours. */
const toleratedLeadMs = 10_000;

export interface RenewalInput {
  /** As just read; undefined: there is none. */
  readonly lease: Lease | undefined;
  readonly nodeName: string;
  readonly nodeUid: string;
  /** The API server's time in ms, never ahead of it: from its `Date` header, which has whole seconds, floored. */
  readonly serverNow: number;
  /** A lease that somebody renewed within this time is left alone. */
  readonly minimumAgeMs: number;
}

export interface Renewal {
  /** `create`: POST. `update`: PUT over the lease that was read. `keep`: nothing to write. */
  readonly kind: 'create' | 'update' | 'keep';
  readonly lease: Lease;
}

/**
 * The next Lease. `renewTime` only ever moves forward and never ahead of the API server's time, except that one which
 * is far ahead already (a wrong clock wrote it) moves by a microsecond: a Lease that is not renewed kills the node.
 * A stale owner is put right at once, or the garbage collector deletes the Lease again and again; so is another holder.
 */
export function leaseRenewal({ lease, nodeName, nodeUid, serverNow, minimumAgeMs }: RenewalInput): Renewal {
  const nowMicros = Math.floor(serverNow) * 1000;
  const next = { name: nodeName, ownerUid: nodeUid, holderIdentity: nodeName, leaseDurationSeconds };
  if (lease === undefined) return { kind: 'create', lease: { ...next, renewTimeMicros: nowMicros } };
  const ageMs = (nowMicros - lease.renewTimeMicros) / 1000;
  const isOwned = lease.ownerUid === nodeUid && lease.holderIdentity === nodeName;
  const isRecent = ageMs > 0 ? ageMs < minimumAgeMs : -ageMs <= toleratedLeadMs;
  if (isOwned && isRecent) return { kind: 'keep', lease };
  const renewTimeMicros = ageMs > 0 ? nowMicros : lease.renewTimeMicros + (isRecent ? 0 : 1);
  return { kind: 'update', lease: { ...lease, ...next, renewTimeMicros } };
}
