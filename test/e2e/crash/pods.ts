/** Pods whose containers are data, and what the API server shows of them from their creation to their end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Watch } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import type { GatedCloud } from './gated-cloud.ts';

export interface ScriptedPod {
  readonly name: string;
  readonly restartPolicy: 'Never' | 'OnFailure' | 'Always';
  /** One for each start, in order; without `runMs` it runs until it is stopped. */
  readonly runs: readonly { readonly runMs?: number; readonly exitCode?: number }[];
}

const gate = 'serverless-kubelet.test/armed';

/** The manifest; `gated` pods are bound only after {@link release}. */
export function manifest({ name, restartPolicy, runs }: ScriptedPod, gated: boolean): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy,
      ...(gated ? { schedulingGates: [{ name: gate }] } : {}),
      nodeSelector: { type: 'virtual-kubelet' },
      tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
      terminationGracePeriodSeconds: 2,
      containers: [{ name: 'main', image: 'busybox:1.36', env: [{ name: 'SCRIPT', value: JSON.stringify({ runs }) }] }],
    },
  };
}

/** Lets a gated pod be bound. */
export async function release(cloud: GatedCloud, namespace: string, pod: V1Pod): Promise<void> {
  if (pod.spec !== undefined) pod.spec.schedulingGates = [];
  await cloud.core.replaceNamespacedPod({ namespace, name: pod.metadata?.name ?? '', body: pod });
}

/** A namespace in which a pod can be made at once. */
export async function createNamespace(cloud: GatedCloud, name: string): Promise<void> {
  await cloud.core.createNamespace({ body: { metadata: { name } } });
  for (;;) {
    const accounts = await cloud.core.listNamespacedServiceAccount({ namespace: name });
    if (accounts.items.length > 0) return;
    await sleep(100);
  }
}

export interface PodHistory {
  readonly name: string;
  readonly uid: string;
  /** Each change of phase, in order. */
  readonly phases: string[];
  /** The last sight of the object. */
  pod: V1Pod;
  deleted: boolean;
}

/** Watches all pods of a namespace from its start to `stop`. */
export class PodWatch {
  readonly histories = new Map<string, PodHistory>();
  readonly #cloud: GatedCloud;
  readonly #namespace: string;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(cloud: GatedCloud, namespace: string) {
    this.#cloud = cloud;
    this.#namespace = namespace;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  of(uid: string): PodHistory | undefined {
    return this.histories.get(uid);
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#listAndWatch().catch(() => undefined);
      await sleep(200);
    }
  }

  async #listAndWatch(): Promise<void> {
    const list = await this.#cloud.core.listNamespacedPod({ namespace: this.#namespace });
    const present = new Set(list.items.map((pod) => pod.metadata?.uid));
    for (const history of this.histories.values()) if (!present.has(history.uid)) history.deleted = true;
    for (const pod of list.items) this.#see(pod, false);
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = await new Watch(this.#cloud.kubeConfig).watch(
      `/api/v1/namespaces/${this.#namespace}/pods`,
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
    const history = this.histories.get(uid) ?? { name: pod.metadata?.name ?? '', uid, phases: [], pod, deleted };
    this.histories.set(uid, history);
    const phase = pod.status?.phase ?? '';
    if (history.phases.at(-1) !== phase) history.phases.push(phase);
    history.pod = pod;
    history.deleted ||= deleted;
  }
}

const terminal = new Set(['Succeeded', 'Failed']);

export const isOver = (history: PodHistory | undefined): boolean => terminal.has(history?.phases.at(-1) ?? '');
