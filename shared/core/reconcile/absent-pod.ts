import { groupCondition } from '../status/status.ts';
import { deleteGroup } from './end-group.ts';
import { inMs, again, idle, wait } from './rule.ts';
import type { Rule } from './rule.ts';
import { countPlan, isExplained } from './orphans.ts';
import { timing } from './timing.ts';
import type { Observed, Plan } from './observed.ts';
import type { PodRow } from './pod-row.ts';

/**
 * The pod is gone from the API server: so must its group be, and then the row. A group goes at once only where the row
 * explains it; else a resync counts first how many there are (`orphans.ts`).
 */
export const absentPodRules: readonly Rule[] = [
  {
    reason: 'orphan-unexplained',
    message: 'The pod is gone and nothing that was seen of it says why; a resync counts first how many there are',
    judge: (observed) => (isOrphan(observed) && !isExplained(observed.row) ? waitForCount(observed) : undefined),
  },
  {
    reason: 'orphan-group-cluster',
    message: 'The pod is gone and its group is there: the cluster is asked whether it is the one that was attached',
    judge: (observed) =>
      isOrphan(observed) && observed.clusterUid === undefined
        ? { effects: [{ kind: 'read-cluster-uid' }], row: {}, next: again }
        : undefined,
  },
  {
    reason: 'cluster-replaced',
    message: 'The cluster has another UID than the one that was attached; its groups are left alone',
    judge: (observed) =>
      isOrphan(observed) && observed.clusterUid !== observed.facts.cluster ? wait(inMs(timing.foreignMs)) : undefined,
  },
  {
    reason: 'orphan-group',
    message: 'The pod is gone, so its group goes',
    judge: (observed) => (isOrphan(observed) ? deleteGroup(observed, []) : undefined),
  },
  {
    reason: 'put-may-be-in-flight',
    message: 'A PUT for the pod that is gone may still land',
    judge: (observed) => (observed.pod === undefined ? waitForPut(observed) : undefined),
  },
  {
    reason: 'nothing-left',
    message: 'Pod and group are gone, so the row goes',
    judge: ({ pod }) => (pod === undefined ? { effects: [{ kind: 'forget' }], row: {}, next: idle } : undefined),
  },
];

const isOrphan = ({ pod, sight }: Observed): boolean =>
  pod === undefined && sight.kind === 'seen' && groupCondition(sight.group) !== 'deleting';

/** Undefined when a 404 is the last word. */
export function waitForPut({ row, now }: Observed): Plan | undefined {
  const waitMs = putWaitMs(row, now);
  return waitMs > 0 ? wait(inMs(waitMs)) : undefined;
}

/**
 * The same before something is said of the pod that its group could still belie: in tables that are young the row of an
 * intent may have been lost.
 */
export function waitForAnyPut(observed: Observed): Plan | undefined {
  const mayBeLost = observed.row.intent.kind === 'none';
  return waitForPut(observed) ?? (mayBeLost ? waitForBirth(observed) : undefined);
}

/** Undefined when the tables are so old that every PUT of before they were made has landed. */
export function waitForBirth({ policy, now }: Observed): Plan | undefined {
  const youngMs = policy.bornAt + timing.birthMs - now;
  return youngMs > 0 ? wait(inMs(youngMs)) : undefined;
}

/** Whoever sees the pod again acts on it, whatever was seen before. */
function waitForCount({ row, now }: Observed): Plan {
  const orphan = row.orphan ?? ({ state: 'uncounted', since: now } as const);
  return wait(countPlan(orphan, now), { orphan, seen: undefined });
}

/**
 * How long a 404 does not yet say that there is no group: a PUT whose answer nobody knows may still land, and one that
 * was just accepted may not be shown yet.
 */
export function putWaitMs({ intent }: PodRow, now: number): number {
  if (intent.kind === 'open') return Math.max(0, intent.at + timing.openIntentMs - now);
  const fresh = intent.kind === 'accepted' && intent.replacing !== true;
  return fresh ? Math.max(0, intent.at + timing.absenceAfterAcceptMs - now) : 0;
}
