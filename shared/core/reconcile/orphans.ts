import type { GroupOwner } from '../group/identity.ts';
import type { Next } from './observed.ts';
import type { Orphan, PodRow } from './pod-row.ts';
import { timing } from './timing.ts';

/** A group of a node whose pod is not in its pod list, and nothing that was seen of the pod says why. */
export interface UnexplainedOrphan {
  readonly group: string;
  readonly owner: GroupOwner;
  /** First sight, Table service's time. */
  readonly since: number;
}

/** What is known of one cluster's unexplained orphans, by complete lists. */
export interface OrphanCount {
  readonly now: number;
  /** All groups of the cluster, whichever node and state. */
  readonly ownGroups: number;
  readonly orphans: readonly UnexplainedOrphan[];
  /** On nodes that were not listed this time: as many as were found at their last resync. */
  readonly elsewhere: number;
}

export interface OrphanVerdict {
  readonly released: readonly UnexplainedOrphan[];
  readonly held: readonly UnexplainedOrphan[];
}

/**
 * The orphan brake. A few pods that vanish were deleted by force; many at once may be the API server's loss: an etcd that
 * was restored, another cluster at the address. More than five, and more than a fifth of the cluster's own groups, are
 * held for ten minutes from first sight.
 */
export function judgeOrphans({ now, ownGroups, orphans, elsewhere }: OrphanCount): OrphanVerdict {
  const isMany = orphans.length + elsewhere > Math.max(5, ownGroups / 5);
  const mayGo = ({ since }: UnexplainedOrphan): boolean => !isMany || now - since >= timing.orphanHoldMs;
  return { released: orphans.filter(mayGo), held: orphans.filter((orphan) => !mayGo(orphan)) };
}

/**
 * Whether the group of a pod that is gone may go by what its row says: the pod's deletion or its end was seen, or a resync
 * has counted it. That there is a row explains nothing.
 */
export const isExplained = ({ lastSeen, settled, orphan }: PodRow): boolean =>
  lastSeen === 'deleting' || lastSeen === 'terminal' || settled || orphan?.state === 'released';

/** When to come back to an orphan that waits: soon to be counted, and when its hold is over. */
export function countPlan(orphan: Orphan, now: number): Extract<Next, { kind: 'in' }> {
  const age = Math.max(0, now - orphan.since);
  const left = orphan.state === 'held' ? timing.orphanHoldMs - age : 0;
  if (left > 0) return { kind: 'in', ms: Math.max(left, timing.orphanCountMs) };
  return { kind: 'in', ms: Math.min(Math.max(age, timing.orphanCountMs), timing.orphanCountLatestMs) };
}

/** Whether a row that is due waits for a resync's count, and not for a look at its pod alone. */
export const waitsForCount = ({ orphan }: PodRow): boolean => orphan !== undefined && orphan.state !== 'released';
