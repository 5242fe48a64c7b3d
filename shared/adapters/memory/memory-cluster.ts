import { randomUUID } from 'node:crypto';
import { fail, ok } from '../../core/fault.ts';
import type { KubeEvent } from '../../core/kubernetes/event.ts';
import type { Pod } from '../../core/kubernetes/pod.ts';
import type { ClusterApi, NodeApi, TokenIdentity } from '../../ports/node-api.ts';
import { createCallGate, forbidden } from './cluster-faults.ts';
import type { CallGate, InjectedFault } from './cluster-faults.ts';
import { createClusterNodes } from './cluster-nodes.ts';
import type { ClusterNodes } from './cluster-nodes.ts';
import { createClusterPods } from './cluster-pods.ts';
import type { ClusterPods, PodChange } from './cluster-pods.ts';
import { createClusterReferences } from './cluster-references.ts';
import type { ClusterReferences } from './cluster-references.ts';

export interface MemoryClusterOptions {
  /** The API server's time in ms. */
  readonly now: () => number;
  /** UID of the kube-system namespace; a new one unless told. */
  readonly uid?: string;
}

export type ApiMethod = Exclude<keyof NodeApi, 'now'> | keyof ClusterApi;

/**
 * One cluster in memory, as far as a pod's life reaches: what stands behind the two cluster ports, and beside them the
 * hands by which users and controllers change the world. Nothing in it acts by itself.
 */
export interface MemoryCluster {
  /** The cluster as the app itself sees it. */
  readonly api: ClusterApi;
  /** The cluster as one of its nodes sees it (Node authorizer, NodeRestriction). */
  readonly nodeApi: (name: string) => NodeApi;
  readonly uid: () => string;
  readonly pods: ClusterPods;
  readonly nodes: ClusterNodes;
  readonly references: ClusterReferences;
  /** In the order in which they were written; an event written twice is one. */
  readonly events: () => readonly KubeEvent[];
  /** A bearer token that `reviewToken` knows, for these audiences. */
  readonly putToken: (token: string, identity: TokenIdentity & { readonly audiences: readonly string[] }) => void;
  /** Called after each change of a pod. */
  readonly watchPods: (listener: (change: PodChange, pod: Pod) => void) => void;
  /** A rebuilt cluster of the same name: nothing is in it, and its UID is another. */
  readonly rebuild: (uid?: string) => void;
  readonly inject: (fault: InjectedFault<ApiMethod>) => void;
  /** Methods called through the two ports, in order. */
  readonly calls: () => readonly ApiMethod[];
}

interface Objects {
  readonly uid: string;
  readonly pods: ClusterPods;
  readonly nodes: ClusterNodes;
  readonly references: ClusterReferences;
  readonly events: Map<string, KubeEvent>;
}

export function createMemoryCluster(options: MemoryClusterOptions): MemoryCluster {
  const gate = createCallGate<ApiMethod>();
  const listeners: ((change: PodChange, pod: Pod) => void)[] = [];
  const tokens = new Map<string, TokenIdentity & { readonly audiences: readonly string[] }>();
  let versions = 100;
  const nextVersion = (): string => String((versions += 1));
  const onChange = (change: PodChange, pod: Pod): void => listeners.forEach((listener) => listener(change, pod));
  const newObjects = (uid: string): Objects => ({
    uid,
    pods: createClusterPods({ now: options.now, nextVersion, onChange }),
    nodes: createClusterNodes({ nextVersion }),
    references: createClusterReferences(),
    events: new Map(),
  });
  let objects = newObjects(options.uid ?? randomUUID());
  const current = (): Objects => objects;
  return {
    api: clusterApi(current, gate, tokens),
    nodeApi: (name) => nodeApi(name, current, { gate, now: options.now }),
    uid: () => objects.uid,
    get pods() {
      return objects.pods;
    },
    get nodes() {
      return objects.nodes;
    },
    get references() {
      return objects.references;
    },
    events: () => [...objects.events.values()],
    putToken: (token, identity) => void tokens.set(token, identity),
    watchPods: (listener) => void listeners.push(listener),
    rebuild: (uid = randomUUID()) => {
      objects = newObjects(uid);
    },
    inject: (fault) => gate.inject(fault),
    calls: () => gate.calls(),
  };
}

function clusterApi(
  current: () => Objects,
  { call }: CallGate<ApiMethod>,
  tokens: ReadonlyMap<string, TokenIdentity & { readonly audiences: readonly string[] }>,
): ClusterApi {
  return {
    getClusterUid: (signal) => call('getClusterUid', signal, () => ok(current().uid)),
    reviewToken: (token, audience, signal) =>
      call('reviewToken', signal, () => {
        const known = tokens.get(token);
        return ok(
          known?.audiences.includes(audience) === true ? { username: known.username, groups: known.groups } : undefined,
        );
      }),
    cordonNode: (name, signal) => call('cordonNode', signal, () => current().nodes.cordon(name)),
    deleteNode: (name, uid, signal) =>
      call('deleteNode', signal, () => {
        current().nodes.delete(name, uid);
        return ok(undefined);
      }),
  };
}

interface NodeApiParts {
  readonly gate: CallGate<ApiMethod>;
  readonly now: () => number;
}

function nodeApi(name: string, current: () => Objects, { gate, now }: NodeApiParts): NodeApi {
  const { call } = gate;
  const bound = (): readonly Pod[] =>
    current()
      .pods.list()
      .filter((pod) => pod.spec.nodeName === name);
  const onlyItself = (asked: string) =>
    asked === name ? undefined : forbidden(`node "${name}" is not allowed to modify node "${asked}"`);
  return {
    // The Date header has whole seconds.
    now: () => (gate.calls().length === 0 ? undefined : Math.floor(now() / 1000) * 1000),
    ...ownNode(name, current, { call, onlyItself }),
    listPods: (signal) => call('listPods', signal, () => ok(bound())),
    getPod: (ref, signal) =>
      call('getPod', signal, () => {
        const pod = current().pods.get(ref);
        return ok(pod?.spec.nodeName === name ? pod : undefined);
      }),
    patchPodStatus: (pod, status, signal) =>
      call('patchPodStatus', signal, () => current().pods.patchStatus(name, pod, status)),
    deletePod: (pod, options, signal) =>
      call('deletePod', signal, () => {
        const { uid } = pod.metadata;
        const target = current().pods.get(pod.metadata);
        if (target !== undefined && target.metadata.uid === uid && target.spec.nodeName !== name)
          return fail(forbidden(`node "${name}" can only delete pods with spec.nodeName set to itself`));
        current().pods.delete(pod.metadata, { uid, gracePeriodSeconds: options.gracePeriodSeconds ?? 0 });
        return ok(undefined);
      }),
    getSecret: (ref, signal) => call('getSecret', signal, () => current().references.getSecret(ref, bound())),
    getConfigMap: (ref, signal) => call('getConfigMap', signal, () => current().references.getConfigMap(ref, bound())),
    listServices: (namespace, signal) =>
      call('listServices', signal, () => ok(current().references.listServices(namespace))),
    createToken: (request, signal) =>
      call('createToken', signal, () => current().references.createToken(request, bound())),
    createEvent: (event, signal) =>
      call('createEvent', signal, () => {
        const key = `${event.involved.uid}/${event.dedupeKey}`;
        if (!current().events.has(key)) current().events.set(key, event);
        return ok(undefined);
      }),
  };
}

type OwnNode = Pick<
  NodeApi,
  'getNode' | 'createNode' | 'patchNodeStatus' | 'getLease' | 'createLease' | 'updateLease' | 'deleteLease'
>;

function ownNode(
  name: string,
  current: () => Objects,
  tools: Pick<CallGate<ApiMethod>, 'call'> & {
    readonly onlyItself: (asked: string) => ReturnType<typeof forbidden> | undefined;
  },
): OwnNode {
  const { call, onlyItself } = tools;
  const guarded = <T>(asked: string, act: () => T) => {
    const refusal = onlyItself(asked);
    return refusal === undefined ? act() : fail(refusal);
  };
  return {
    getNode: (signal) => call('getNode', signal, () => current().nodes.get(name)),
    createNode: (node, signal) =>
      call('createNode', signal, () => guarded(node.name, () => current().nodes.create(node))),
    patchNodeStatus: (patch, signal) => call('patchNodeStatus', signal, () => current().nodes.patchStatus(name, patch)),
    getLease: (signal) => call('getLease', signal, () => current().nodes.getLease(name)),
    createLease: (lease, signal) =>
      call('createLease', signal, () => guarded(lease.name, () => current().nodes.createLease(lease))),
    updateLease: (lease, signal) =>
      call('updateLease', signal, () => guarded(lease.name, () => current().nodes.updateLease(lease))),
    deleteLease: (signal) =>
      call('deleteLease', signal, () => {
        current().nodes.deleteLease(name);
        return ok(undefined);
      }),
  };
}
