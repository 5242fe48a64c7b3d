import { describeFault, ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import { ownerOnNode } from '../core/group/identity.ts';
import type { KubeNode } from '../core/kubernetes/node.ts';
import { isDaemonSetPod } from '../core/kubernetes/pod.ts';
import { cordonRepair, foreignOwner } from '../core/node/node-drift.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { repairNode } from './repair-node.ts';
import { updateNode } from './update-node.ts';

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
    await updateNode(deps, node, (known) => (known.emptySince === empty ? undefined : { emptySince: empty }));
    return;
  }
  deps.log.warn('node could not be retired yet', { node: nodeKeyText(node.key), fault: describeFault(fault) });
}

/** A `draining` node takes no new pods; what runs there goes on, and leaves by `kubectl drain` or by itself. */
export async function cordonDraining(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<void> {
  const found = await node.api.getNode(signal);
  const fault = found.ok ? await cordonOwn(deps, node, found.value, signal) : found.fault;
  if (fault !== undefined && fault.kind !== 'not-found')
    deps.log.warn('node could not be cordoned yet', { node: nodeKeyText(node.key), fault: describeFault(fault) });
}

async function cordonOwn(
  deps: Deps,
  node: NodeDeps,
  actual: KubeNode,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const repair = cordonRepair(actual, 'draining');
  if (repair === undefined || foreignOwner(actual, node.facts.installation) !== undefined) return undefined;
  const answer = await repairNode(deps, node, { actual, repair }, signal);
  return answer.kind === 'failed' ? answer.fault : undefined;
}

async function retire(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<Fault | 'pods-left' | undefined> {
  const uid = await node.cluster.api.getClusterUid(signal);
  if (!uid.ok) return uid.fault;
  if (uid.value !== node.key.cluster)
    return { kind: 'denied', code: 'ClusterReplaced', message: 'the cluster has another UID than the one attached' };
  const found = await node.api.getNode(signal);
  if (!found.ok && found.fault.kind !== 'not-found') return found.fault;
  const actual = found.ok ? found.value : undefined;
  const foreign = actual === undefined ? undefined : foreignOwner(actual, node.facts.installation);
  if (foreign !== undefined) return leaveToOwner(deps, node, foreign.message, signal);
  const uncordoned = actual === undefined ? undefined : await cordon(node, actual, signal);
  if (uncordoned !== undefined) return uncordoned;
  const withGroup = await podsWithGroup(deps, node, signal);
  if (!withGroup.ok) return withGroup.fault;
  const left = await deletePods(node, withGroup.value, signal);
  if (left !== undefined) return left;
  if (withGroup.value.size > 0) return 'pods-left';
  return deleteNodeAndLease(node, actual?.metadata.uid, signal);
}

/** The other owner's pods, Lease and Node are left alone; only groups of ours keep the node from being empty. */
async function leaveToOwner(
  deps: Deps,
  node: NodeDeps,
  message: string,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const withGroup = await podsWithGroup(deps, node, signal);
  if (!withGroup.ok) return withGroup.fault;
  return withGroup.value.size === 0 ? undefined : { kind: 'denied', code: 'ForeignNode', message };
}

/** UIDs of the node's pods that have a group. */
async function podsWithGroup(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<Result<ReadonlySet<string>>> {
  const groups = await deps.groups.list(signal);
  if (!groups.ok) return groups;
  return ok(new Set(groups.value.flatMap((group) => ownerOnNode(group.tags, node.facts)?.uid ?? [])));
}

/** Before anything is deleted, so without regard to refusals: a node that still takes pods is never empty. */
async function cordon(node: NodeDeps, actual: KubeNode, signal: AbortSignal): Promise<Fault | undefined> {
  const repair = cordonRepair(actual, 'removed');
  if (repair === undefined) return undefined;
  const cordoned = await node.cluster.api.patchNode(actual, repair.change, signal);
  return cordoned.ok ? undefined : cordoned.fault;
}

/**
 * Graceful deletes. A DaemonSet's pod comes back as long as its Node is there: only one that has a group is deleted, the
 * others hold nothing up and go with the Node.
 */
async function deletePods(
  node: NodeDeps,
  withGroup: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Fault | 'pods-left' | undefined> {
  const pods = await node.api.listPods(signal);
  if (!pods.ok) return pods.fault;
  const holding = pods.value.filter((pod) => !isDaemonSetPod(pod) || withGroup.has(pod.metadata.uid));
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
