import { describeFault } from '../core/fault.ts';
import type { Fault } from '../core/fault.ts';
import { groupOwner } from '../core/group/identity.ts';
import { isDaemonSetPod } from '../core/kubernetes/pod.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import type { Deps, NodeDeps } from './deps.ts';

/** A removed node is swept this long after it was seen empty: a pod bound at the last moment still goes. */
const sweptAfterEmptyMs = 600_000;

/**
 * Takes a `removed` node out of its cluster, one safe step each time it is called: cordon, delete its pods gracefully,
 * and when neither pods nor groups are left, Lease and Node. Nothing creates them again.
 */
export async function retireNode(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<void> {
  const now = await deps.store.now();
  const row = await deps.store.getNode(node.key);
  if (!now.ok || !row.ok) return;
  const emptySince = row.value?.value.emptySince;
  if (emptySince !== undefined && now.value - emptySince > sweptAfterEmptyMs) return;
  const fault = await retire(deps, node, signal);
  if (fault === 'pods-left' || fault === undefined) {
    const empty = fault === undefined ? (emptySince ?? now.value) : undefined;
    await deps.store.upsertNode(node.key, { ...(row.value?.value ?? newNodeRow()), emptySince: empty }, row.value);
    return;
  }
  deps.log.warn('node could not be retired yet', { node: nodeKeyText(node.key), fault: describeFault(fault) });
}

async function retire(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<Fault | 'pods-left' | undefined> {
  const uid = await node.cluster.api.getClusterUid(signal);
  if (!uid.ok) return uid.fault;
  if (uid.value !== node.key.cluster)
    return { kind: 'denied', code: 'ClusterReplaced', message: 'the cluster has another UID than the one attached' };
  const found = await node.api.getNode(signal);
  if (found.ok && !found.value.unschedulable) {
    const cordoned = await node.cluster.api.cordonNode(node.key.node, signal);
    if (!cordoned.ok) return cordoned.fault;
  }
  const left = await deletePods(node, signal);
  if (left !== undefined) return left;
  const groups = await deps.groups.list(signal);
  if (!groups.ok) return groups.fault;
  if (groups.value.some((group) => isOnNode(group.tags, node))) return 'pods-left';
  return deleteNodeAndLease(node, found.ok ? found.value.metadata.uid : undefined, signal);
}

/** Graceful deletes; a pod that never got a group (a DaemonSet's) holds nothing up and goes with its Node. */
async function deletePods(node: NodeDeps, signal: AbortSignal): Promise<Fault | 'pods-left' | undefined> {
  const pods = await node.api.listPods(signal);
  if (!pods.ok) return pods.fault;
  const holding = pods.value.filter((pod) => !isDaemonSetPod(pod));
  for (const pod of holding) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    const deleted = await node.api.deletePod(
      pod,
      { gracePeriodSeconds: pod.spec.terminationGracePeriodSeconds },
      signal,
    );
    if (!deleted.ok) return deleted.fault;
  }
  return holding.length > 0 ? 'pods-left' : undefined;
}

const isOnNode = (tags: Readonly<Record<string, string>>, node: NodeDeps): boolean => {
  const owner = groupOwner(tags);
  return (
    owner?.installation === node.facts.installation &&
    owner.cluster === node.key.cluster &&
    owner.node === node.key.node
  );
};

async function deleteNodeAndLease(
  node: NodeDeps,
  nodeUid: string | undefined,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const lease = await node.api.deleteLease(signal);
  if (!lease.ok && lease.fault.kind !== 'not-found') return lease.fault;
  if (nodeUid === undefined) return undefined;
  const deleted = await node.cluster.api.deleteNode(node.key.node, nodeUid, signal);
  return deleted.ok ? undefined : deleted.fault;
}
