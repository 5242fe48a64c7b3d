import { describeFault, ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import type { KubeNode, NodeStatus } from '../core/kubernetes/node.ts';
import { allocatable } from '../core/node/allocatable.ts';
import { leaseRenewal } from '../core/node/lease-renewal.ts';
import { foreignOwner } from '../core/node/node-drift.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { NodeSpec } from '../core/node/node-spec.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import { nodeStatus, nodeStatusToWrite, nodeTemplate } from '../core/node/node-status.ts';
import { askNode } from './ask-node.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { repairDrift } from './repair-node.ts';
import { nodeSpec } from './node-spec.ts';

const callMs = 8_000;
/** A Lease that anybody renewed this recently is left alone. */
const freshLeaseMs = 5_000;

/**
 * One beat of every node: the Node exists (an active one is created when it is missing), its Lease is renewed, its
 * status is written when it changed or is five minutes old, and what it lost against its registration is fixed. A node whose API server does not answer holds up no other.
 */
export async function heartbeat(deps: Deps, nodes: readonly NodeDeps[], signal: AbortSignal): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      const fault = await beat(deps, node, within(deps, signal, callMs));
      if (fault !== undefined)
        deps.log.warn('heartbeat failed', { node: nodeKeyText(node.key), fault: describeFault(fault) });
    }),
  );
}

async function beat(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<Fault | undefined> {
  const found = await ensureNode(deps, node, signal);
  if (!('node' in found)) return found.fault;
  // The Lease first: everything else can wait for the next beat, and it can't. Repairs last: a webhook may be slow.
  const renewed = await renewLease(deps, node, found.node, signal);
  if (renewed !== undefined) return renewed;
  const written = await writeStatus(deps, { node, spec: nodeSpec(node), found: found.node }, signal);
  const corrected = await repairDrift(deps, node, written.ok ? written.value : found.node, signal);
  return written.ok ? corrected : written.fault;
}

type EnsuredNode = { readonly node: KubeNode } | { readonly fault: Fault | undefined };

async function ensureNode(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<EnsuredNode> {
  const found = await node.api.getNode(signal);
  if (found.ok) return ownNode(deps, node, found.value);
  if (found.fault.kind !== 'not-found') return { fault: found.fault };
  if (node.registration.state !== 'active') return { fault: undefined };
  // Another process may know already that the node left, and have deleted it.
  const registered = await deps.confirmNode(node.key);
  if (!registered.ok) return { fault: registered.fault };
  if (registered.value.state !== 'active') return { fault: undefined };
  return createNode(deps, node, nodeSpec(node, registered.value), signal);
}

function ownNode(deps: Deps, node: NodeDeps, found: KubeNode): EnsuredNode {
  const foreign = foreignOwner(found, node.facts.installation);
  if (foreign === undefined) return { node: found };
  deps.log.warn('node name is taken by another owner; nothing of it is written', {
    node: nodeKeyText(node.key),
    message: foreign.message,
  });
  return { fault: undefined };
}

async function createNode(deps: Deps, node: NodeDeps, spec: NodeSpec, signal: AbortSignal): Promise<EnsuredNode> {
  const template = nodeTemplate(spec, node.api.now() ?? deps.clock.wallMs());
  const { labels, annotations, taints } = template;
  const created = await askNode(
    deps,
    node,
    {
      part: 'node',
      what: 'create this Node from its registration',
      reason: 'FailedToCreateNode',
      content: { labels, annotations, taints },
      send: (sending) => node.api.createNode(template, sending),
    },
    signal,
  );
  switch (created.kind) {
    case 'done':
      deps.log.info('node created', { node: nodeKeyText(node.key) });
      return { node: created.value };
    case 'refused':
      return { fault: undefined };
    case 'failed':
      break;
  }
  if (created.fault.kind !== 'conflict') return { fault: created.fault };
  // Somebody made it in between: another process of ours, or somebody else.
  const theirs = await node.api.getNode(signal);
  return theirs.ok ? ownNode(deps, node, theirs.value) : { fault: theirs.fault };
}

async function renewLease(
  deps: Deps,
  node: NodeDeps,
  owner: KubeNode,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const read = await node.api.getLease(signal);
  if (!read.ok && read.fault.kind !== 'not-found') return read.fault;
  const serverNow = node.api.now();
  if (serverNow === undefined) return undefined;
  if (read.ok) {
    const ageMs = Math.max(0, serverNow - read.value.renewTimeMicros / 1000);
    deps.telemetry.measure('serverless_kubelet.lease.age', ageMs / 1000, { node: node.key.node });
  }
  const renewal = leaseRenewal({
    lease: read.ok ? read.value : undefined,
    nodeName: owner.metadata.name,
    nodeUid: owner.metadata.uid,
    serverNow: Math.floor(serverNow / 1000) * 1000,
    minimumAgeMs: freshLeaseMs,
  });
  if (renewal.kind === 'keep') return undefined;
  const written =
    renewal.kind === 'create'
      ? await node.api.createLease(renewal.lease, signal)
      : await node.api.updateLease(renewal.lease, signal);
  // A conflict says that somebody else has just renewed it.
  return written.ok || written.fault.kind === 'conflict' ? undefined : written.fault;
}

interface Beaten {
  readonly node: NodeDeps;
  readonly spec: NodeSpec;
  readonly found: KubeNode;
}

/** The Node as it then is. */
async function writeStatus(deps: Deps, beatOf: Beaten, signal: AbortSignal): Promise<Result<KubeNode>> {
  const { node, found } = beatOf;
  const now = node.api.now() ?? deps.clock.wallMs();
  const next = await statusNow(deps, beatOf, now);
  const name = nodeKeyText(node.key);
  const status = nodeStatusToWrite(found, next, { now, dropsFeatures: deps.withoutFeatures.has(name) });
  if (status === undefined) return ok(found);
  const written = await node.api.patchNodeStatus(status, signal);
  // Before 1.35 an API server knows no such member, and drops it.
  const isDropped =
    written.ok && status.declaredFeatures.length > 0 && written.value.status.declaredFeatures.length === 0;
  if (isDropped) deps.withoutFeatures.add(name);
  else if (written.ok) deps.withoutFeatures.delete(name);
  return written;
}

/** What the status should be, by what is known of the region, the node's groups and its relay. */
async function statusNow(deps: Deps, { node, spec, found }: Beaten, now: number): Promise<NodeStatus> {
  const row = await deps.store.getNode(node.key);
  const { usage, relayFeatures } = (row.ok ? row.value?.value : undefined) ?? newNodeRow();
  const share = allocatable({
    capacity: spec.capacity,
    usage,
    nodesSharing: [...deps.clusters.values()].reduce((total, cluster) => total + cluster.nodes.size, 0),
    // Groups of ended pods go when their room is needed, so it is offered.
    ownCores: (usage?.ownCores ?? 0) + (usage?.endedCores ?? 0),
    ownGroups: (usage?.ownGroups ?? 0) + (usage?.endedGroups ?? 0),
  });
  // Of rows that are lost or can't be read nobody learns that the relay serves less.
  const features = relayFeatures ?? found.status.declaredFeatures;
  return nodeStatus(spec, { allocatable: share, previous: found.status.conditions, features }, now);
}
