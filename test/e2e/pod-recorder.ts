/** What the API server shows of the pods of a namespace, from their creation to their end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Watch } from '@kubernetes/client-node';
import type { CoreV1Api, KubeConfig, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

export interface ClusterClients {
  readonly kubeConfig: KubeConfig;
  readonly core: CoreV1Api;
}

export interface PodHistory {
  readonly name: string;
  readonly uid: string;
  /** Each change of phase, in order. */
  readonly phases: string[];
  restarts: number;
  /** The last sight of the object. */
  pod: V1Pod;
  deleted: boolean;
}

/** Watches all pods of a namespace from its start to `stop`, across restarts of the API server. */
export class PodRecorder {
  readonly namespace: string;
  readonly histories = new Map<string, PodHistory>();
  readonly #api: ClusterClients;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(api: ClusterClients, namespace: string) {
    this.#api = api;
    this.namespace = namespace;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  of(name: string): PodHistory | undefined {
    return [...this.histories.values()].find((history) => history.name === name);
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      // An API server that is away is part of the story: it is asked again.
      await this.#listAndWatch().catch(() => undefined);
      await sleep(300);
    }
  }

  async #listAndWatch(): Promise<void> {
    const list = await this.#api.core.listNamespacedPod({ namespace: this.namespace });
    const present = new Set(list.items.map((pod) => pod.metadata?.uid));
    for (const history of this.histories.values()) if (!present.has(history.uid)) history.deleted = true;
    for (const pod of list.items) this.#see(pod, false);
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = await new Watch(this.#api.kubeConfig).watch(
      `/api/v1/namespaces/${this.namespace}/pods`,
      { resourceVersion: list.metadata?.resourceVersion ?? '' },
      (type: string, pod: V1Pod) => this.#see(pod, type === 'DELETED'),
      () => resolve(),
    );
    const end = (): void => {
      watch.abort();
      resolve();
    };
    this.#ended.signal.addEventListener('abort', end, { once: true });
    await promise;
    this.#ended.signal.removeEventListener('abort', end);
  }

  #see(pod: V1Pod, deleted: boolean): void {
    const uid = pod.metadata?.uid;
    if (uid === undefined) return;
    const history = this.histories.get(uid) ?? {
      name: pod.metadata?.name ?? '',
      uid,
      phases: [],
      restarts: 0,
      pod,
      deleted,
    };
    this.histories.set(uid, history);
    const phase = pod.status?.phase ?? '';
    if (history.phases.at(-1) !== phase) history.phases.push(phase);
    history.restarts = Math.max(history.restarts, ...statusesOf(pod).map((status) => status.restartCount));
    history.pod = pod;
    history.deleted ||= deleted;
  }
}

export const statusesOf = (pod: V1Pod): readonly V1ContainerStatus[] => [
  ...(pod.status?.initContainerStatuses ?? []),
  ...(pod.status?.containerStatuses ?? []),
];
