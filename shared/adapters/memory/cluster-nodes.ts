import { randomUUID } from 'node:crypto';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { KubeNode, Lease, NodeStatusPatch, NodeTemplate } from '../../core/kubernetes/node.ts';
import { alreadyExists, changed, notFound } from './cluster-faults.ts';

/** Nodes and their Leases in `kube-node-lease`. */
export interface ClusterNodes {
  readonly get: (name: string) => Result<KubeNode>;
  readonly create: (template: NodeTemplate) => Result<KubeNode>;
  readonly patchStatus: (name: string, patch: NodeStatusPatch) => Result<KubeNode>;
  readonly cordon: (name: string) => Result<void>;
  /** The garbage collector takes the Lease of a deleted Node with it. A UID that is another's changes nothing. */
  readonly delete: (name: string, uid?: string) => void;
  readonly getLease: (name: string) => Result<Lease>;
  readonly createLease: (lease: Lease) => Result<Lease>;
  readonly updateLease: (lease: Lease) => Result<Lease>;
  readonly deleteLease: (name: string) => void;
}

export function createClusterNodes({ nextVersion }: { readonly nextVersion: () => string }): ClusterNodes {
  const nodes = new Map<string, KubeNode>();
  const leases = new Map<string, Lease>();
  const storeNode = (node: KubeNode): Result<KubeNode> => {
    const stored = { ...node, metadata: { ...node.metadata, resourceVersion: nextVersion() } };
    nodes.set(node.metadata.name, stored);
    return ok(stored);
  };
  const storeLease = (lease: Lease): Result<Lease> => {
    const stored = { ...lease, resourceVersion: nextVersion() };
    leases.set(lease.name, stored);
    return ok(stored);
  };
  const find = (name: string): Result<KubeNode> => {
    const node = nodes.get(name);
    return node === undefined ? fail(notFound('nodes', name)) : ok(node);
  };
  return {
    get: find,
    create: ({ name, labels, annotations, taints, status }) =>
      nodes.has(name)
        ? fail(alreadyExists('nodes', name))
        : storeNode({
            metadata: { name, uid: randomUUID(), resourceVersion: '', labels, annotations },
            unschedulable: false,
            taints,
            status,
          }),
    patchStatus: (name, patch) => {
      const found = find(name);
      return found.ok ? storeNode({ ...found.value, status: merged(found.value, patch) }) : found;
    },
    cordon: (name) => {
      const found = find(name);
      if (!found.ok) return found;
      storeNode({ ...found.value, unschedulable: true });
      return ok(undefined);
    },
    delete: (name, uid) => {
      const node = nodes.get(name);
      if (node === undefined || (uid !== undefined && node.metadata.uid !== uid)) return;
      nodes.delete(name);
      if (leases.get(name)?.ownerUid === node.metadata.uid) leases.delete(name);
    },
    getLease: (name) => {
      const lease = leases.get(name);
      return lease === undefined ? fail(notFound('leases.coordination.k8s.io', name)) : ok(lease);
    },
    createLease: (lease) =>
      leases.has(lease.name) ? fail(alreadyExists('leases.coordination.k8s.io', lease.name)) : storeLease(lease),
    updateLease: (lease) => {
      const current = leases.get(lease.name);
      if (current === undefined) return fail(notFound('leases.coordination.k8s.io', lease.name));
      return current.resourceVersion === lease.resourceVersion
        ? storeLease(lease)
        : fail(changed('leases.coordination.k8s.io', lease.name));
    },
    deleteLease: (name) => void leases.delete(name),
  };
}

/** Conditions merge by type; the rest of what a kubelet sends is replaced. */
function merged(node: KubeNode, patch: NodeStatusPatch): KubeNode['status'] {
  const others = node.status.conditions.filter(({ type }) => !patch.conditions.some((own) => own.type === type));
  return { ...patch, conditions: [...others, ...patch.conditions] };
}
