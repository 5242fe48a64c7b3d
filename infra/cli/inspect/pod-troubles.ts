import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import type { PodSeen } from './cluster-objects.ts';
import type { PodTrouble } from './observed.ts';
import { defined } from '../../../shared/core/defined.ts';

/** A poll that is this late shows that nobody polls. */
const overdueMs = 120_000;
/** Large images take minutes. */
const pendingLongSeconds = 600;
/** One failure or two are a passing trouble. */
const manyFailures = 3;

/**
 * The pods that somebody should know of: with a fault, with many failures in a row, with a poll long overdue, or Pending
 * for long. `now` is the Table service's time in ms. The worst first: those with a fault, then by how long they wait.
 */
export function podTroubles(rows: readonly PodRow[], pods: readonly PodSeen[], now: number): readonly PodTrouble[] {
  const seen = new Map(pods.map((pod) => [pod.uid, pod]));
  const known = new Set(rows.map(({ uid }) => uid));
  const remembered = rows
    .filter((row) => isTrouble(row, seen.get(row.uid), now))
    .map((row) => ({
      namespace: row.namespace,
      name: row.name,
      uid: row.uid,
      ...defined({ fault: row.fault }),
      attempt: row.attempt,
      ...(row.dueAt === undefined ? {} : { dueInSeconds: Math.round((row.dueAt - now) / 1000) }),
      ...pendingFor(seen.get(row.uid)),
    }));
  const unknown = pods
    .filter((pod) => !known.has(pod.uid) && isPendingLong(pod))
    .map(({ namespace, name, uid, ...pod }) => ({ namespace, name, uid, attempt: 0, ...pendingFor({ ...pod }) }));
  return [...remembered, ...unknown].toSorted(byWeight);
}

const isTrouble = (row: PodRow, pod: PodSeen | undefined, now: number): boolean =>
  row.fault !== undefined ||
  row.attempt >= manyFailures ||
  (!row.settled && row.dueAt !== undefined && row.dueAt < now - overdueMs) ||
  (pod !== undefined && isPendingLong(pod));

const isPendingLong = ({ phase, ageSeconds = 0 }: PodSeen): boolean =>
  phase === 'Pending' && ageSeconds > pendingLongSeconds;

const pendingFor = (pod: Pick<PodSeen, 'phase' | 'ageSeconds'> | undefined): { readonly pendingForSeconds?: number } =>
  pod?.phase === 'Pending' && pod.ageSeconds !== undefined ? { pendingForSeconds: pod.ageSeconds } : {};

const byWeight = (a: PodTrouble, b: PodTrouble): number =>
  Number(b.fault !== undefined) - Number(a.fault !== undefined) ||
  (b.pendingForSeconds ?? 0) - (a.pendingForSeconds ?? 0) ||
  (a.uid < b.uid ? -1 : 1);
