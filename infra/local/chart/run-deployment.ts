/** A tiny kubelet of the relay alone: runs the pods of the chart's Deployment in Podman as they are rendered. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngineClient } from '../aci/runtime/engine/client.ts';
import type { PodApi } from './api.ts';
import { startServiceDoor } from './service-door.ts';
import { Replica } from './replica.ts';

export interface RunOptions {
  readonly api: PodApi;
  /** Podman's socket, and a network of it from which the API server and the app can be reached. */
  readonly engineSocket: string;
  readonly network: string;
  /** Where the pods' volumes are: not on a disk that outlives them, for there are tokens in them. */
  readonly volumesDir: string;
  readonly logFile: string;
  /** The node's address and its ports: what the Service stands for. */
  readonly address: string;
  readonly ports: readonly number[];
  readonly log: (line: string) => void;
}

/** The running Deployment. */
export interface RunningDeployment {
  /** Pods whose container is ready now. */
  ready(): readonly string[];
  /** SIGKILLs every container, or the named pod's; with `held` they stay down until {@link resume}. */
  kill(options: { readonly pod?: string; readonly held: boolean }): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

const pollMs = 1000;

/**
 * Runs each pod of the Deployment until it is gone from the API server: new ones are started, deleted ones ended with
 * their grace, so that a rollout goes as on a node. The pods stay unbound: there is no Node for them. Rejects when the
 * node's ports cannot be listened on.
 */
export async function runDeployment(options: RunOptions): Promise<RunningDeployment> {
  const engine = createEngineClient(options.engineSocket);
  const replicas = new Map<string, Replica>();
  const ending = new Set<Promise<void>>();
  const stopping = new AbortController();
  let held = false;
  const readyReplicas = (): readonly Replica[] =>
    [...replicas.values()].filter(({ readyAddress }) => readyAddress !== undefined);
  const door = await startServiceDoor({
    address: options.address,
    ports: options.ports,
    targets: () => readyReplicas().flatMap(({ readyAddress }) => readyAddress ?? []),
  });
  const end = (replica: Replica, graceSeconds?: number): Promise<void> => {
    replicas.delete(replica.pod.metadata.uid);
    const over = replica.stop(graceSeconds).finally(() => ending.delete(over));
    ending.add(over);
    return over;
  };
  const look = async (): Promise<void> => {
    const pods = await options.api.listPods();
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, replica] of replicas) if (!uids.has(uid)) void end(replica);
    for (const pod of pods) {
      const { uid } = pod.metadata;
      if (replicas.has(uid)) continue;
      const replica = new Replica({ ...options, pod, engine, folder: join(options.volumesDir, uid) });
      replica.held = held;
      replicas.set(uid, replica);
    }
  };
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => options.log(String(error)));
      await sleep(pollMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    ready: () => readyReplicas().map(({ pod }) => pod.metadata.name),
    kill: async ({ pod, held: hold }) => {
      const chosen = [...replicas.values()].filter((replica) => pod === undefined || replica.pod.metadata.name === pod);
      if (pod === undefined) held = hold;
      for (const replica of chosen) replica.held = hold;
      await Promise.all(chosen.map((replica) => replica.kill()));
    },
    resume: () => {
      held = false;
      for (const replica of replicas.values()) replica.held = false;
    },
    stop: async () => {
      stopping.abort();
      await loop;
      await Promise.all([...replicas.values()].map((replica) => end(replica, 3)));
      await Promise.all(ending);
      await door.close();
      engine.close();
    },
  };
}
