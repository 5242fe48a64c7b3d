import type { JsonObject } from '../../core/json.ts';
import type { NodeTemplate } from '../../core/kubernetes/node.ts';
import { buildNodeStatusPatch, nodeStatus } from '../../core/kubernetes/status-patch.ts';
import { ok } from '../../core/fault.ts';
import type { NodeApi } from '../../ports/node-api.ts';
import { formatLease, parseLease } from '../../wire/kubernetes/lease.ts';
import { leaseNamespace } from '../../core/kubernetes/node.ts';
import { parseAnyObject } from '../../wire/kubernetes/meta.ts';
import { parseNode } from '../../wire/kubernetes/node.ts';
import { request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { apiPath } from './path.ts';

export type OwnNodeApi = Pick<
  NodeApi,
  'getNode' | 'createNode' | 'patchNodeStatus' | 'getLease' | 'createLease' | 'updateLease' | 'deleteLease'
>;

export const nodesPath = (...rest: readonly string[]): string => apiPath('api', 'v1', 'nodes', ...rest);

/** The node's own Node and Lease. `client` acts as that node. */
export function createOwnNodeApi(client: KubernetesClient, nodeName: string): OwnNodeApi {
  const leases = apiPath('apis', 'coordination.k8s.io', 'v1', 'namespaces', leaseNamespace, 'leases');
  const lease = `${leases}${apiPath(nodeName)}`;
  return {
    getNode: (signal) => request(client, { method: 'GET', path: nodesPath(nodeName) }, parseNode, signal),
    createNode: (node, signal) =>
      request(client, { method: 'POST', path: nodesPath(), body: nodeBody(node) }, parseNode, signal),
    patchNodeStatus: (patch, signal) =>
      request(
        client,
        { method: 'PATCH', path: nodesPath(nodeName, 'status'), body: buildNodeStatusPatch(patch) },
        parseNode,
        signal,
      ),
    getLease: (signal) => request(client, { method: 'GET', path: lease }, parseLease, signal),
    createLease: (value, signal) =>
      request(client, { method: 'POST', path: leases, body: formatLease(value) }, parseLease, signal),
    updateLease: (value, signal) =>
      request(client, { method: 'PUT', path: lease, body: formatLease(value) }, parseLease, signal),
    deleteLease: async (signal) => {
      const deleted = await request(client, { method: 'DELETE', path: lease }, parseAnyObject, signal);
      return deleted.ok || deleted.fault.kind === 'not-found' ? ok(undefined) : deleted;
    },
  };
}

/** One object with labels, taints and status: a node without them would be deleted by the cloud controller, or used, in between. */
const nodeBody = (node: NodeTemplate): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: node.name, labels: node.labels, annotations: node.annotations },
  spec: { unschedulable: false, taints: node.taints.map((taint) => ({ ...taint })) },
  status: nodeStatus(node.status),
});
