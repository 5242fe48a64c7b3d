import { request } from '../../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import { apiPath, namespacedPath, selectorValue } from '../../../../shared/adapters/kubernetes/path.ts';
import { ok } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { leaseNamespace } from '../../../../shared/core/kubernetes/node.ts';
import { parseAnyObject, parseListPage } from '../../../../shared/wire/kubernetes/meta.ts';
import { parseDrainNode, parseDrainPod } from './drain-object.ts';
import type { DrainNode, DrainPod } from './drain-object.ts';
import { defined } from '../../../../shared/core/defined.ts';

/** What taking nodes out of a cluster needs of it. Deletes of what is gone already succeed; nothing throws. */
export interface DrainApi {
  getNode(name: string): Promise<Result<DrainNode>>;
  /** Keeps new pods away. `conflict`: the Node is another than the one that was read. */
  cordonNode(node: DrainNode): Promise<Result<void>>;
  listPods(node: string): Promise<Result<readonly DrainPod[]>>;
  /** `throttled`: a PodDisruptionBudget does not allow it now. */
  evictPod(pod: DrainPod): Promise<Result<void>>;
  /** Gracefully. */
  deletePod(pod: DrainPod): Promise<Result<void>>;
  deleteClusterRoleBinding(name: string): Promise<Result<void>>;
  deleteNode(name: string): Promise<Result<void>>;
  /** The node's heartbeat. */
  deleteLease(node: string): Promise<Result<void>>;
}

/** Also keeps out a DaemonSet's pods, which an unschedulable node does not; but for one that tolerates everything. */
export const drainTaint = { key: 'serverless-kubelet.io/draining', effect: 'NoSchedule' } as const;

const rbac = apiPath('apis', 'rbac.authorization.k8s.io', 'v1', 'clusterrolebindings');
const leases = apiPath('apis', 'coordination.k8s.io', 'v1', 'namespaces', leaseNamespace, 'leases');

/** Over HTTP; every request ends when `signal` aborts. */
export function createDrainApi(client: KubernetesClient, signal: AbortSignal): DrainApi {
  const nodePath = (name: string): string => apiPath('api', 'v1', 'nodes', name);
  const podPath = ({ namespace, name }: DrainPod, ...rest: readonly string[]): string =>
    namespacedPath(namespace, 'pods', name, ...rest);
  const remove = (path: string, body?: JsonObject): Promise<Result<void>> =>
    untilGone(request(client, { method: 'DELETE', path, ...defined({ body }) }, parseAnyObject, signal));
  return {
    getNode: (name) => request(client, { method: 'GET', path: nodePath(name) }, parseDrainNode, signal),
    cordonNode: async (node) => {
      const path = nodePath(node.name);
      const patched = await request(client, { method: 'PATCH', path, body: cordonPatch(node) }, parseAnyObject, signal);
      return patched.ok ? ok(undefined) : patched;
    },
    listPods: (node) => listPods(client, node, signal),
    evictPod: (pod) => {
      const { namespace, name, uid } = pod;
      const body: JsonObject = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { namespace, name },
        deleteOptions: { preconditions: { uid } },
      };
      const path = podPath(pod, 'eviction');
      return untilGone(request(client, { method: 'POST', path, body }, parseAnyObject, signal));
    },
    deletePod: (pod) =>
      remove(podPath(pod), { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: pod.uid } }),
    deleteClusterRoleBinding: (name) => remove(`${rbac}${apiPath(name)}`),
    deleteNode: (name) => remove(nodePath(name)),
    deleteLease: (node) => remove(`${leases}${apiPath(node)}`),
  };
}

function cordonPatch({ resourceVersion, taints }: DrainNode): JsonObject {
  const others = taints.filter(({ key }) => key !== drainTaint.key);
  return {
    metadata: { resourceVersion },
    spec: { unschedulable: true, taints: [...others, drainTaint].map((taint) => ({ ...taint })) },
  };
}

/** Gone, or another by now under that name: what was asked for is so. */
async function untilGone(sent: Promise<Result<true>>): Promise<Result<void>> {
  const done = await sent;
  const isGone = !done.ok && (done.fault.kind === 'not-found' || done.fault.kind === 'conflict');
  return done.ok || isGone ? ok(undefined) : done;
}

const pageSize = '500';

/** All pages, or the fault of one: a part would look as if the rest were gone. */
async function listPods(
  client: KubernetesClient,
  node: string,
  signal: AbortSignal,
): Promise<Result<readonly DrainPod[]>> {
  const pods: DrainPod[] = [];
  const query = { fieldSelector: `spec.nodeName=${selectorValue(node)}`, limit: pageSize };
  for (let next: Readonly<Record<string, string>> = {}; ;) {
    const page = await request(
      client,
      { method: 'GET', path: '/api/v1/pods', query: { ...query, ...next } },
      (json) => parseListPage(json, 'PodList', parseDrainPod),
      signal,
    );
    if (!page.ok) return page;
    pods.push(...page.value.items);
    if (page.value.continueToken === undefined) return ok(pods);
    next = { continue: page.value.continueToken };
  }
}
