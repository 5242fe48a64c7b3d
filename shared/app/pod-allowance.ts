import { take } from '../core/budget/token-bucket.ts';
import type { BucketLimits, BucketState } from '../core/budget/token-bucket.ts';
import type { Deps } from './deps.ts';

/** Pods that are remembered in one process: more than a node has, some hundred bytes each. */
const mostPods = 10_000;

const known = new WeakMap<Deps['store'], Map<string, BucketState>>();

/**
 * How long a pod has to wait before this process does something for it, ms; 0: not at all. Each pod has an allowance of its
 * own for each route, so that one that asks without end takes nothing from the others. What is forgotten begins anew, full.
 */
export function podAllowance(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  { route, podUid, limits }: { readonly route: string; readonly podUid: string; readonly limits: BucketLimits },
): number {
  const buckets = known.get(store) ?? new Map<string, BucketState>();
  known.set(store, buckets);
  const now = clock.monotonicMs();
  const key = `${route}/${podUid}`;
  const state = buckets.get(key) ?? { tokens: limits.capacity, at: now };
  const grant = take(state, limits, { now, wanted: 1, reserve: 0 });
  // The last asked is the last forgotten.
  buckets.delete(key);
  buckets.set(key, grant.state);
  const [oldest] = buckets.keys();
  if (buckets.size > mostPods && oldest !== undefined) buckets.delete(oldest);
  return grant.granted > 0 ? 0 : grant.waitMs;
}
