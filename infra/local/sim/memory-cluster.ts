import { randomUUID } from 'node:crypto';
import type { KubeEvent } from '../../../shared/core/kubernetes/event.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { ClusterApi, NodeApi, TokenIdentity } from '../../../shared/ports/node-api.ts';
import { bootstrapNamespaces } from './api-server/bootstrap.ts';
import { createClusterState } from './api-server/cluster-state.ts';
import type { ClusterState, TokenTerms } from './api-server/cluster-state.ts';
import { Controllers } from './api-server/controllers.ts';
import { pods } from './api-server/resources.ts';
import { createClusterEvents } from './cluster-events.ts';
import type { ClusterEvents } from './cluster-events.ts';
import { createClusterNodes } from './cluster-nodes.ts';
import type { ClusterNodes } from './cluster-nodes.ts';
import { createClusterPods, podChange, readPod } from './cluster-pods.ts';
import type { ClusterPods, PodChange } from './cluster-pods.ts';
import { createMemoryClusterApi, createMemoryNodeApi } from './cluster-ports.ts';
import type { ApiMethod, PlantedToken } from './cluster-ports.ts';
import { createClusterReferences } from './cluster-references.ts';
import type { ClusterReferences } from './cluster-references.ts';
import { createCallGate } from './faults/call-gate.ts';
import type { InjectedFault } from './faults/call-gate.ts';

export type { ApiMethod } from './cluster-ports.ts';

export interface MemoryClusterOptions {
  /** The API server's time in ms. */
  readonly now: () => number;
  /** UID of the kube-system namespace; a new one unless given. */
  readonly uid?: string;
  /** What `kube-root-ca.crt` holds; nothing unless given. */
  readonly caPem?: string;
  /** For how long tokens live; as kube-apiserver's defaults have it unless given. */
  readonly tokenTerms?: TokenTerms;
  /** How many writes a watch may be behind before it is reported `Expired`; 4096 unless given. */
  readonly historySize?: number;
}

/**
 * One cluster in memory, as far as a pod's life reaches: what is behind the two cluster ports and behind the
 * embedded cluster's HTTP skin, and beside them the hands by which users and controllers change the world. It has one
 * store of JSON objects and the API server's rules over it; nothing in it acts by itself: controllers work in `tick`.
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
  /** Whom `putToken` made of this token. */
  readonly plantedToken: (token: string) => PlantedToken | undefined;
  /** Called after each change of a pod. */
  readonly watchPods: (listener: (change: PodChange, pod: Pod) => void) => void;
  /** A rebuilt cluster of the same name: nothing is in it, and its UID is another. */
  readonly rebuild: (uid?: string) => void;
  /**
   * One round of the controllers at the API server's present time: scheduler, node lifecycle and taint eviction, PodGC,
   * garbage collection, namespaces, the hour that events live. Writes nothing when nothing is due.
   */
  readonly tick: () => void;
  /** The store under the API server's rules, for whoever serves them; another one after `rebuild`. */
  readonly state: () => ClusterState;
  readonly inject: (fault: InjectedFault<ApiMethod>) => void;
  /** Methods called through the two ports, in order. */
  readonly calls: () => readonly ApiMethod[];
}

/** One life of a cluster, until it is rebuilt. */
interface Life {
  readonly uid: string;
  readonly state: ClusterState;
  readonly controllers: Controllers;
  readonly pods: ClusterPods;
  readonly nodes: ClusterNodes;
  readonly references: ClusterReferences;
  readonly events: ClusterEvents;
}

export function createMemoryCluster(options: MemoryClusterOptions): MemoryCluster {
  const gate = createCallGate<ApiMethod>();
  const listeners: ((change: PodChange, pod: Pod) => void)[] = [];
  const tokens = new Map<string, PlantedToken>();
  const begin = (uid: string, firstVersion: number): Life => {
    const state = createClusterState({ ...options, firstVersion });
    bootstrapNamespaces(state, uid);
    state.store.subscribe(({ resource, type, object }) => {
      if (resource !== pods || listeners.length === 0) return;
      const pod = readPod(object);
      for (const listener of listeners) listener(podChange(type), pod);
    });
    return {
      uid,
      state,
      controllers: new Controllers(),
      pods: createClusterPods(state),
      nodes: createClusterNodes(state),
      references: createClusterReferences(state),
      events: createClusterEvents(state),
    };
  };
  let life = begin(options.uid ?? randomUUID(), 100);
  const ports = { gate, now: options.now, life: () => life, planted: (token: string) => tokens.get(token) };
  return {
    api: createMemoryClusterApi(ports),
    nodeApi: (name) => createMemoryNodeApi(name, ports),
    uid: () => life.uid,
    get pods() {
      return life.pods;
    },
    get nodes() {
      return life.nodes;
    },
    get references() {
      return life.references;
    },
    events: () => life.events.list(),
    putToken: (token, identity) => void tokens.set(token, identity),
    plantedToken: (token) => tokens.get(token),
    watchPods: (listener) => void listeners.push(listener),
    rebuild: (uid = randomUUID()) => {
      // A version is left out, so that who watches from before learns that it is too old.
      life = begin(uid, life.state.store.version + 1);
    },
    tick: () => life.controllers.tick(life.state),
    state: () => life.state,
    inject: (fault) => gate.inject(fault),
    calls: () => gate.calls(),
  };
}
