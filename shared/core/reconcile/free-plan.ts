import type { PodRow } from './pod-row.ts';

/** So many groups of ended pods are on their way out at once; each costs one of the few DELETEs that ACI grants. */
const mostAtOnce = 8;

/**
 * Which groups of ended pods make room for those that ARM has just refused for want of quota: the oldest ends first, and
 * no more than pods wait. Only a group of which the row says that its pod's end is written and nothing is going on; whether
 * the pod is still there, and its log can be kept, its own reconcile finds out.
 */
export function planFreeing<T extends { readonly value: PodRow }>(
  rows: readonly T[],
  { uid, now }: { readonly uid: string; readonly now: number },
): readonly T[] {
  const waiting = rows.filter(({ value }) => value.uid === uid || waitsForCapacity(value)).length;
  const going = rows.filter(({ value }) => value.freeing).length;
  return rows
    .filter(({ value }) => isIdle(value, now))
    .toSorted((a, b) => rank(a.value) - rank(b.value) || endOf(a.value) - endOf(b.value))
    .slice(0, Math.max(0, Math.min(mostAtOnce, waiting) - going));
}

const waitsForCapacity = ({ fault, intent }: PodRow): boolean =>
  fault?.reason === 'ProviderCapacity' && intent.kind !== 'accepted';

const isIdle = ({ settled, freeing, intent, dueAt, lock }: PodRow, now: number): boolean =>
  settled && !freeing && intent.kind === 'accepted' && dueAt === undefined && (lock === undefined || lock.until <= now);

/** Where the log could not be kept, the others come first. */
const rank = ({ keptLog }: PodRow): number => (keptLog?.kind === 'given-up' ? 1 : 0);

const endOf = ({ usage, intent }: PodRow): number => usage?.endedAt ?? (intent.kind === 'none' ? 0 : intent.at);
