import { fail } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import { buildNodePatch } from '../../../shared/core/kubernetes/node-patch.ts';
import type {
  KubeNode,
  Lease,
  NodeChange,
  NodeStatusPatch,
  NodeTemplate,
} from '../../../shared/core/kubernetes/node.ts';
import { buildNodeStatusPatch, nodeStatus } from '../../../shared/core/kubernetes/status-patch.ts';
import { formatLease, parseLease } from '../../../shared/wire/kubernetes/lease.ts';
import { leaseNamespace } from '../../../shared/core/kubernetes/node.ts';
import { parseNode } from '../../../shared/wire/kubernetes/node.ts';
import type { ClusterState } from './api-server/cluster-state.ts';
import { createObject } from './api-server/create.ts';
import type { Target } from './api-server/create.ts';
import { deleteObject } from './api-server/delete.ts';
import { metaOf, objectsAt, textAt } from './api-server/json-access.ts';
import { patchObject } from './api-server/patch.ts';
import { notFound } from './api-server/status-error.ts';
import { leases, nodes, qualifiedName } from './api-server/resources.ts';
import type { Resource } from './api-server/resources.ts';
import { replaceObject } from './api-server/update.ts';
import type { User } from './api-server/user.ts';
import { faultOf, resultOf } from './cluster-faults.ts';

/** Nodes and their Leases in `kube-node-lease`. */
export interface ClusterNodes {
  readonly get: (name: string) => Result<KubeNode>;
  readonly create: (template: NodeTemplate) => Result<KubeNode>;
  readonly patchStatus: (name: string, patch: NodeStatusPatch) => Result<KubeNode>;
  readonly patch: (node: Pick<KubeNode, 'metadata'>, change: NodeChange) => Result<KubeNode>;
  /** The garbage collector takes the Lease of a deleted Node with it. A UID that is another's changes nothing. */
  readonly delete: (name: string, uid?: string) => void;
  readonly getLease: (name: string) => Result<Lease>;
  readonly createLease: (lease: Lease) => Result<Lease>;
  readonly updateLease: (lease: Lease) => Result<Lease>;
  readonly deleteLease: (name: string) => void;
}

/** Written as `user`: undefined is somebody who may do everything. */
export function createClusterNodes(state: ClusterState, user?: User): ClusterNodes {
  const of = (resource: Resource, name: string, subresource = ''): Target => ({
    user,
    resource,
    subresource,
    namespace: resource.isNamespaced ? leaseNamespace : '',
    name,
  });
  const read = (resource: Resource, name: string): JsonObject | undefined =>
    state.store.get(resource, { namespace: resource.isNamespaced ? leaseNamespace : '', name });
  const patchNode = (name: string, subresource: string, body: JsonObject): Result<KubeNode> => {
    const type = 'application/strategic-merge-patch+json';
    return resultOf(patchObject(state, of(nodes, name, subresource), { type, body, fieldManager: '' }), readNode);
  };
  return {
    get: (name) => found(read(nodes, name), readNode, { kind: 'nodes', name }),
    create: (template) => resultOf(createObject(state, of(nodes, ''), nodeBody(template)), readNode),
    patchStatus: (name, patch) => patchNode(name, 'status', buildNodeStatusPatch(patch)),
    patch: (node, change) => patchNode(node.metadata.name, '', buildNodePatch(node, change)),
    delete: (name, uid) => {
      const deleted = deleteObject(state, of(nodes, name), uid === undefined ? {} : { uid });
      const lease = read(leases, name);
      if (!deleted.ok || lease === undefined) return;
      const owned = objectsAt(metaOf(lease), 'ownerReferences').map((owner) => textAt(owner, 'uid'));
      if (owned.includes(textAt(metaOf(deleted.value.object), 'uid')))
        state.store.remove(leases, { namespace: leaseNamespace, name });
    },
    getLease: (name) => found(read(leases, name), readLease, { kind: qualifiedName(leases), name }),
    createLease: (lease) => resultOf(createObject(state, of(leases, ''), formatLease(lease)), readLease),
    updateLease: (lease) => resultOf(replaceObject(state, of(leases, lease.name), formatLease(lease)), readLease),
    deleteLease: (name) => void deleteObject(state, of(leases, name), {}),
  };
}

const parsedNodes = new WeakMap<JsonObject, KubeNode>();
const parsedLeases = new WeakMap<JsonObject, Lease>();

/** Each object is parsed once, however often it is read. */
const once =
  <T>(known: WeakMap<JsonObject, T>, parse: (json: unknown) => T | undefined) =>
  (json: JsonObject): T | undefined => {
    const value = known.get(json) ?? parse(json);
    if (value !== undefined) known.set(json, value);
    return value;
  };
const readNode = once(parsedNodes, parseNode);
const readLease = once(parsedLeases, parseLease);

function found<T>(
  json: JsonObject | undefined,
  read: (json: JsonObject) => T | undefined,
  about: { readonly kind: string; readonly name: string },
): Result<T> {
  return json === undefined ? fail(faultOf(notFound(about))) : resultOf({ ok: true, value: json }, read);
}

const nodeBody = ({ name, labels, annotations, taints, status }: NodeTemplate): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels, annotations },
  spec: { unschedulable: false, taints: taints.map((taint) => ({ ...taint })) },
  status: nodeStatus(status),
});
