import { describeFault } from '../core/fault.ts';
import type { Fault } from '../core/fault.ts';
import type { KubeNode } from '../core/kubernetes/node.ts';
import { allocatable } from '../core/node/allocatable.ts';
import { leaseRenewal } from '../core/node/lease-renewal.ts';
import { nodeDrift } from '../core/node/node-drift.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { reportedVersion } from '../core/node/node-spec.ts';
import type { NodeSpec } from '../core/node/node-spec.ts';
import { nodeStatus, nodeStatusToWrite, nodeTemplate } from '../core/node/node-status.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';

const version = '0.1.0';
const callMs = 8_000;
/** A Lease that anybody renewed this recently is left alone. */
const freshLeaseMs = 5_000;

/**
 * One beat of every node: the Node exists (an active one is created when it is missing), its Lease is renewed, its
 * status is written when it changed or is five minutes old. A node whose API server does not answer holds up no other.
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
  const spec = nodeSpec(node);
  const found = await ensureNode(deps, node, spec, signal);
  if (!('node' in found)) return found.fault;
  // The Lease first: everything else can wait for the next beat, and it can't.
  const renewed = await renewLease(deps, node, found.node, signal);
  return renewed ?? writeStatus(deps, { node, spec, found: found.node }, signal);
}

type EnsuredNode = { readonly node: KubeNode } | { readonly fault: Fault | undefined };

async function ensureNode(deps: Deps, node: NodeDeps, spec: NodeSpec, signal: AbortSignal): Promise<EnsuredNode> {
  const found = await node.api.getNode(signal);
  if (found.ok) {
    const drift = nodeDrift(found.value, spec);
    if (drift.kind !== 'foreign-owner') return { node: found.value };
    deps.log.warn('node name is taken by another owner; nothing of it is written', {
      node: nodeKeyText(node.key),
      message: drift.message,
    });
    return { fault: undefined };
  }
  if (found.fault.kind !== 'not-found') return { fault: found.fault };
  if (node.registration.state !== 'active') return { fault: undefined };
  // Another process may know already that the node left, and have deleted it.
  const registered = await deps.confirmNode(node.key);
  if (!registered.ok) return { fault: registered.fault };
  if (registered.value.state !== 'active') return { fault: undefined };
  const created = await node.api.createNode(nodeTemplate(spec, node.api.now() ?? deps.clock.wallMs()), signal);
  if (!created.ok) return { fault: created.fault };
  deps.log.info('node created', { node: nodeKeyText(node.key) });
  return { node: created.value };
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

async function writeStatus(
  deps: Deps,
  beatOf: { readonly node: NodeDeps; readonly spec: NodeSpec; readonly found: KubeNode },
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const { node, spec, found } = beatOf;
  const row = await deps.store.getNode(node.key);
  const usage = row.ok ? row.value?.value.usage : undefined;
  const share = allocatable({
    capacity: spec.capacity,
    usage,
    nodesSharing: [...deps.clusters.values()].reduce((total, cluster) => total + cluster.nodes.size, 0),
    ownCores: usage?.ownCores ?? 0,
    ownGroups: usage?.ownGroups ?? 0,
  });
  const now = node.api.now() ?? deps.clock.wallMs();
  const status = nodeStatusToWrite(
    found,
    nodeStatus(spec, { allocatable: share, previous: found.status.conditions }, now),
    now,
  );
  if (status === undefined) return undefined;
  const patched = await node.api.patchNodeStatus(status, signal);
  return patched.ok ? undefined : patched.fault;
}

function nodeSpec(node: NodeDeps): NodeSpec {
  const { registration, key, facts, cluster } = node;
  return {
    name: registration.name,
    cluster: key.cluster,
    installation: facts.installation,
    region: facts.location,
    zone: registration.zone,
    address: registration.address,
    kubeletPort: registration.port,
    capacity: { cpu: registration.cpu, memory: registration.memory, pods: registration.pods },
    taint: registration.taint,
    kubeletVersion: reportedVersion(cluster.registration.version, version),
    labels: registration.labels,
  };
}
