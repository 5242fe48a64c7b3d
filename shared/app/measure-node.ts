import type { ListedGroup } from '../core/group/group.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { groupShares } from '../core/node/group-shares.ts';
import type { Usage } from '../ports/container-groups.ts';
import type { Deps, NodeDeps } from './deps.ts';

const phases = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

/** What a resync has listed of one node. Groups are there only when it was a whole one; `sinceMs`: since the one before. */
export interface ResyncSight {
  readonly pods: readonly Pod[];
  readonly groups: readonly ListedGroup[] | undefined;
  readonly orphans: number;
  readonly sinceMs: number | undefined;
}

/** Reported once a resync, of what it has read anyway. */
export function measureNode(deps: Deps, node: NodeDeps, { pods, groups, orphans, sinceMs }: ResyncSight): void {
  const name = node.key.node;
  for (const phase of phases) {
    const count = pods.filter((pod) => pod.status.phase === phase).length;
    deps.telemetry.measure('serverless_kubelet.pods', count, { node: name, phase });
  }
  if (groups === undefined) return;
  deps.telemetry.measure('serverless_kubelet.orphans', orphans, { node: name });
  // A gap longer than a few resyncs is an outage: what ran in it is not known.
  if (sinceMs === undefined || sinceMs > longestGapMs) return;
  const { own, orphaned } = groupShares(groups, pods, node.facts);
  const cores = own.cores + orphaned.cores;
  if (cores > 0) deps.telemetry.measure('serverless_kubelet.group.cpu', (cores * sinceMs) / 1000, { node: name });
}

const longestGapMs = 1_800_000;
const nearItsEnd = 0.9;
const quotas = ['StandardCores', 'ContainerGroups'];

/** How much of the region's quota is used, by everybody in the subscription; past nine tenths somebody must be notified. */
export function measureQuota(deps: Deps, usages: readonly Usage[]): void {
  for (const { name, current, limit } of usages.filter((usage) => quotas.includes(usage.name))) {
    const used = limit > 0 ? current / limit : 1;
    deps.telemetry.measure('serverless_kubelet.quota.used', used, { quota: name });
    if (used > nearItsEnd) deps.log.warn('quota of the region is near its end', { quota: name, current, limit });
  }
}
