/** One pod of the relay, kept alive as a kubelet keeps one. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { EngineClient } from '../aci/runtime/engine/client.ts';
import type { PodApi } from './api.ts';
import { containerBody } from './container-body.ts';
import type { Pod } from './pod.ts';
import { ProbeState } from './probes.ts';
import { prepareVolumes } from './volumes.ts';
import type { Volumes } from './volumes.ts';

export interface ReplicaOptions {
  readonly pod: Pod;
  readonly api: PodApi;
  readonly engine: EngineClient;
  readonly network: string;
  readonly logFile: string;
  /** Where its volumes are. */
  readonly folder: string;
  /** What went wrong and is tried again. */
  readonly log: (line: string) => void;
}

const pollMs = 250;
/** A kubelet waits ten seconds at first and longer each time; here a test waits with it. */
const restartMs = 1000;

const inspected = z.object({
  Id: z.string(),
  State: z.object({ Running: z.boolean(), ExitCode: z.number() }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
});

/** A pod's container and what is known of it. */
export class Replica {
  readonly pod: Pod;
  /** Where it answers, while it is ready. */
  readyAddress: string | undefined;
  /** Held: an ended container is not started again. */
  held = false;
  readonly #options: ReplicaOptions;
  #containerId: string | undefined;
  #ending = false;
  #restarts = -1;
  readonly #over: Promise<void>;
  #reported = '';
  #problem = '';

  constructor(options: ReplicaOptions) {
    this.pod = options.pod;
    this.#options = options;
    this.#over = this.#live();
  }

  /** Ends the container at once; what ends it starts it again a second later unless `held`. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (this.#containerId === undefined) return;
    const path = `/containers/${this.#containerId}/kill?signal=${signal}`;
    await this.#options.engine.send({ method: 'POST', path }, [404, 409, 500]);
  }

  /** SIGTERM, the pod's grace, SIGKILL; resolves when nothing is left of it. Safe to repeat. */
  async stop(graceSeconds = this.pod.spec.terminationGracePeriodSeconds): Promise<void> {
    this.#ending = true;
    this.readyAddress = undefined;
    if (graceSeconds > 0) {
      await this.kill('SIGTERM');
      await Promise.race([this.#over, sleep(graceSeconds * 1000, undefined, { ref: false })]);
    }
    await this.kill();
    await this.#over;
  }

  async #live(): Promise<void> {
    const { pod, folder, api, log } = this.#options;
    const { name } = pod.metadata;
    let volumes: Volumes | undefined;
    while (!this.#ending) {
      try {
        volumes ??= await prepareVolumes(pod, folder, api);
        if (!this.held) await this.#runOnce(volumes);
      } catch (error) {
        log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.readyAddress = undefined;
      if (!this.#ending) {
        await this.#notify({ ready: false, address: undefined });
        await sleep(restartMs);
      }
    }
    volumes?.remove();
  }

  /** From the container's creation to its end. */
  async #runOnce(volumes: Volumes): Promise<void> {
    const { engine, pod, network, logFile } = this.#options;
    this.#restarts += 1;
    const body = containerBody(pod, { network, logFile, folderOf: (volume) => volumes.folderOf(volume) });
    const name = `sk-relay-${pod.metadata.uid.slice(0, 8)}-${this.#restarts}`;
    const created = z.object({ Id: z.string() });
    const { Id: id } = await engine.json(created, { method: 'POST', path: `/containers/create?name=${name}`, body });
    this.#containerId = id;
    try {
      await engine.send({ method: 'POST', path: `/containers/${id}/start` });
      await this.#watch(id);
    } finally {
      this.#containerId = undefined;
      await engine.send({ method: 'DELETE', path: `/containers/${id}?force=true` }, [404, 500]);
    }
  }

  /** Probes it until it has ended; a liveness or startup probe that has failed too often ends it. */
  async #watch(id: string): Promise<void> {
    const { engine, network } = this.#options;
    const [container] = this.pod.spec.containers;
    const state = (probe: typeof container.livenessProbe): ProbeState | undefined =>
      probe === undefined ? undefined : new ProbeState(probe);
    const startup = state(container.startupProbe);
    const liveness = state(container.livenessProbe);
    const readiness = state(container.readinessProbe);
    const portOf = (port: string | number): number =>
      typeof port === 'number' ? port : (container.ports.find(({ name }) => name === port)?.containerPort ?? 0);
    for (;;) {
      const { State, NetworkSettings } = await engine.json(inspected, {
        method: 'GET',
        path: `/containers/${id}/json`,
      });
      if (!State.Running) return;
      const address = NetworkSettings.Networks[network]?.IPAddress ?? '';
      const hasStarted = startup === undefined || startup.succeeded;
      const due = (hasStarted ? [liveness, readiness] : [startup]).filter((probe) => probe !== undefined);
      await Promise.all(due.map((probe) => probe.ask(address, portOf)));
      if (due.some((probe) => probe !== readiness && probe.failed)) await this.kill();
      const isReady = hasStarted && readiness?.succeeded !== false;
      this.readyAddress = isReady && !this.#ending ? address : undefined;
      await this.#notify({ ready: isReady, address });
      await sleep(pollMs);
    }
  }

  /** The pod's status, where it differs from what was written last. */
  async #notify(state: { readonly ready: boolean; readonly address: string | undefined }): Promise<void> {
    const reported = JSON.stringify([state, this.#restarts]);
    if (reported === this.#reported) return;
    const { api, log, pod } = this.#options;
    try {
      await api.writeStatus(pod, statusOf(pod, state, Math.max(this.#restarts, 0)));
      this.#reported = reported;
    } catch (error) {
      const problem = `${pod.metadata.name}: ${error instanceof Error ? error.message : String(error)}`;
      if (problem !== this.#problem) log(problem);
      this.#problem = problem;
    }
  }
}

function statusOf(
  pod: Pod,
  { ready, address }: { readonly ready: boolean; readonly address: string | undefined },
  restartCount: number,
): object {
  const now = new Date().toISOString();
  const [container] = pod.spec.containers;
  const status = ready ? 'True' : 'False';
  return {
    phase: address === undefined ? 'Pending' : 'Running',
    // A strategic merge would keep the address of the container before.
    ...(address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }, { $patch: 'replace' }] }),
    conditions: ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: type === 'Initialized' ? 'True' : status,
      lastTransitionTime: now,
    })),
    containerStatuses: [
      {
        name: container.name,
        image: container.image,
        imageID: '',
        ready,
        started: ready,
        restartCount,
        state: address === undefined ? { waiting: { reason: 'ContainerCreating' } } : { running: { startedAt: now } },
      },
    ],
  };
}
