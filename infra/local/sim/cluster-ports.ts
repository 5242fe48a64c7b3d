import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { ClusterApi, NodeApi, TokenIdentity } from '../../../shared/ports/node-api.ts';
import type { ClusterState } from './api-server/cluster-state.ts';
import { deleteObject } from './api-server/delete.ts';
import { specOf, textAt } from './api-server/json-access.ts';
import { forbidden } from './api-server/status-error.ts';
import { pods } from './api-server/resources.ts';
import { readToken } from './api-server/tokens.ts';
import { nodeUser } from './api-server/user.ts';
import type { ClusterEvents } from './cluster-events.ts';
import { faultOf } from './cluster-faults.ts';
import type { CallGate } from './faults/call-gate.ts';
import { createClusterNodes } from './cluster-nodes.ts';
import type { ClusterNodes } from './cluster-nodes.ts';
import { readPod } from './cluster-pods.ts';
import type { ClusterPods } from './cluster-pods.ts';
import type { ClusterReferences } from './cluster-references.ts';

export type ApiMethod = Exclude<keyof NodeApi, 'now'> | keyof ClusterApi;

export type PlantedToken = TokenIdentity & { readonly audiences: readonly string[] };

/** What the two ports of one cluster are on. */
export interface ClusterPorts {
  readonly gate: CallGate<ApiMethod>;
  readonly now: () => number;
  readonly life: () => {
    readonly uid: string;
    readonly state: ClusterState;
    readonly pods: ClusterPods;
    readonly nodes: ClusterNodes;
    readonly references: ClusterReferences;
    readonly events: ClusterEvents;
  };
  readonly planted: (token: string) => PlantedToken | undefined;
}

export function createMemoryClusterApi({ gate: { call }, life, planted }: ClusterPorts): ClusterApi {
  return {
    getClusterUid: (signal) => call('getClusterUid', signal, () => ok(life().uid)),
    reviewToken: (token, audience, signal) =>
      call('reviewToken', signal, () => {
        const known = planted(token);
        if (known?.audiences.includes(audience) === true) return ok({ username: known.username, groups: known.groups });
        const holder = readToken(life().state, token, [audience]);
        return ok(holder === undefined ? undefined : { username: holder.user.name, groups: holder.user.groups });
      }),
    getServicesCredential: (secret, signal) =>
      call('getServicesCredential', signal, () => life().references.getServicesCredential(secret)),
    patchNode: (node, change, signal) => call('patchNode', signal, () => life().nodes.patch(node, change)),
    deleteNode: (name, uid, signal) =>
      call('deleteNode', signal, () => {
        life().nodes.delete(name, uid);
        return ok(undefined);
      }),
  };
}

export function createMemoryNodeApi(name: string, ports: ClusterPorts): NodeApi {
  const { gate, now, life } = ports;
  const { call } = gate;
  const references = (): ClusterReferences => life().references;
  return {
    // The Date header has whole seconds.
    now: () => (gate.calls().length === 0 ? undefined : Math.floor(now() / 1000) * 1000),
    ...ownNode(name, ports),
    listPods: (signal) => call('listPods', signal, () => ok(boundPods(life().state, name))),
    getPod: (ref, signal) =>
      call('getPod', signal, () => {
        const pod = life().pods.get(ref);
        return ok(pod?.spec.nodeName === name ? pod : undefined);
      }),
    patchPodStatus: (pod, status, signal) =>
      call('patchPodStatus', signal, () => life().pods.patchStatus(name, pod, status)),
    deletePod: (pod, options, signal) =>
      call('deletePod', signal, () => deleteBound(life().state, name, pod, options.gracePeriodSeconds ?? 0)),
    getSecret: (ref, signal) => call('getSecret', signal, () => references().getSecret(name, ref)),
    getReferenceVersion: (kind, ref, signal) =>
      call('getReferenceVersion', signal, () => references().getReferenceVersion(name, kind, ref)),
    getConfigMap: (ref, signal) => call('getConfigMap', signal, () => references().getConfigMap(name, ref)),
    getPersistentVolumeClaim: (ref, signal) =>
      call('getPersistentVolumeClaim', signal, () => references().getPersistentVolumeClaim(ref)),
    getPersistentVolume: (volume, signal) =>
      call('getPersistentVolume', signal, () => references().getPersistentVolume(volume)),
    listServices: (namespace, signal) => call('listServices', signal, () => ok(references().listServices(namespace))),
    listTrustBundles: (selector, signal) =>
      call('listTrustBundles', signal, () => references().listTrustBundles(selector)),
    createToken: (request, signal) => call('createToken', signal, () => references().createToken(name, request)),
    createEvent: (event, signal) => call('createEvent', signal, () => life().events.write(event, name)),
    repeatEvent: (event, signal) => call('repeatEvent', signal, () => life().events.repeat(event)),
  };
}

function boundPods({ store }: ClusterState, name: string): readonly Pod[] {
  const bound: Pod[] = [];
  for (const json of store.all(pods)) if (isBound(json, name)) bound.push(readPod(json));
  return bound;
}

const isBound = (json: JsonObject, node: string): boolean => textAt(specOf(json), 'nodeName') === node;

/** What is gone, or was another pod, has nothing left to do; that of another node is not ours to delete. */
function deleteBound(
  state: ClusterState,
  node: string,
  { metadata }: Pick<Pod, 'metadata'>,
  gracePeriodSeconds: number,
): Result<void> {
  const { namespace, name, uid } = metadata;
  const target = { user: nodeUser(node), resource: pods, subresource: '', namespace, name };
  const deleted = deleteObject(state, target, { uid, gracePeriodSeconds });
  if (deleted.ok || deleted.refusal.code === 404 || deleted.refusal.code === 409) return ok(undefined);
  return fail(faultOf(deleted.refusal));
}

type OwnNode = Pick<
  NodeApi,
  'getNode' | 'createNode' | 'patchNodeStatus' | 'getLease' | 'createLease' | 'updateLease' | 'deleteLease'
>;

function ownNode(name: string, { gate: { call }, life }: ClusterPorts): OwnNode {
  const nodes = (): ClusterNodes => createClusterNodes(life().state, nodeUser(name));
  const guarded = <T>(asked: string, act: () => Result<T>): Result<T> =>
    asked === name ? act() : fail(notItself(name, asked));
  return {
    getNode: (signal) => call('getNode', signal, () => nodes().get(name)),
    createNode: (node, signal) => call('createNode', signal, () => nodes().create(node)),
    patchNodeStatus: (patch, signal) => call('patchNodeStatus', signal, () => nodes().patchStatus(name, patch)),
    getLease: (signal) => call('getLease', signal, () => nodes().getLease(name)),
    createLease: (lease, signal) => call('createLease', signal, () => nodes().createLease(lease)),
    updateLease: (lease, signal) =>
      call('updateLease', signal, () => guarded(lease.name, () => nodes().updateLease(lease))),
    deleteLease: (signal) =>
      call('deleteLease', signal, () => {
        nodes().deleteLease(name);
        return ok(undefined);
      }),
  };
}

const notItself = (node: string, asked: string): Fault =>
  faultOf(
    forbidden(
      { kind: 'leases.coordination.k8s.io', name: asked },
      `User "system:node:${node}" cannot update resource "leases" in API group "coordination.k8s.io" in the namespace "kube-node-lease": can only access node lease with the same name as the requesting node`,
    ),
  );
