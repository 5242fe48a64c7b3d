import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { failure } from '../stop.ts';
import type { AttachFacts } from './plan.ts';

/**
 * Stops when how pods reach the cluster is registered otherwise than it was when the plan was made: a rotation of
 * meanwhile would be taken back, and its Secret away. Pure.
 */
export function refuseMeanwhile(
  { registered, cluster }: Pick<AttachFacts, 'registered' | 'cluster'>,
  fresh: readonly ClusterRegistration[],
): void {
  if (reachOf(registered, cluster.uid) === reachOf(fresh, cluster.uid)) return;
  throw failure(
    `somebody attached ${cluster.name} meanwhile: how pods reach its names and Services is registered otherwise by now`,
    'the same command again',
  );
}

function reachOf(clusters: readonly ClusterRegistration[], uid: string): string {
  const known = clusters.find((one) => one.uid === uid);
  return JSON.stringify([known?.dns ?? null, known?.services ?? null, known?.declined ?? null]);
}
