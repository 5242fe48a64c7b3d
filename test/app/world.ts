import { images } from '../../infra/local/sim/pods/images.ts';
import type { Image } from '../../infra/local/sim/pods/images.ts';
import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { containerOf, podSpec } from '../../infra/local/sim/pods/pod-spec.ts';
import { random } from '../../infra/local/sim/time/chance.ts';
import { createProcessClock } from '../../infra/local/sim/time/process-clock.ts';
import { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import { clusterOf, createAppProcess, freeReservation, nodesOf } from '../../infra/local/sim/app-process.ts';
import { createMemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import type { MemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import type { PodManifest } from '../../infra/local/sim/cluster-pods.ts';
import { createMemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import type { MemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import type { Behaviours } from '../../infra/local/sim/container-runs.ts';
import { createMemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import type { MemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import { createMemoryKeptLogs } from '../../infra/local/sim/memory-kept-logs.ts';
import type { MemoryKeptLogs } from '../../infra/local/sim/memory-kept-logs.ts';
import { createMemoryAgentWords } from '../../infra/local/sim/memory-agent-words.ts';
import type { MemoryAgent, MemoryAgentWords } from '../../infra/local/sim/memory-agent-words.ts';
import { createMemoryStore } from '../../infra/local/sim/memory-store.ts';
import type { MemoryStore } from '../../infra/local/sim/memory-store.ts';
import type { ClusterDeps, Deps, NodeDeps } from '../../shared/app/deps.ts';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import type { PodEventsOutcome } from '../../shared/app/handle-pod-events.ts';
import { heartbeat } from '../../shared/app/heartbeat.ts';
import { refreshFiles } from '../../shared/app/refresh-files.ts';
import { sweep } from '../../shared/app/sweep.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import type { PodRow } from '../../shared/core/reconcile/pod-row.ts';
import type { AttachRequest } from '../../shared/ports/container-groups.ts';
import type { RegistryLogin } from '../../shared/ports/image-registry.ts';
import type { LogFields } from '../../shared/ports/log.ts';
import type { PodEvents, PodKey } from '../../shared/wire/relay-protocol/pod-events.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';
import { hooked } from './hooks.ts';
import { noon } from '../fixtures/pods.ts';
import { clusterUid, settingsOf } from '../fixtures/settings.ts';
import type { NodeSetting } from '../fixtures/settings.ts';
import { defined } from '../../shared/core/defined.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly nodes?: readonly NodeSetting[];
  readonly settings?: Readonly<Record<string, string>>;
  readonly provisioningMs?: number;
  readonly visibleAfterMs?: number;
  readonly quota?: { readonly groups: number; readonly cores: number };
  /** What other images do, beside those of the stories. */
  readonly images?: Behaviours;
  /** Age of the tables at noon; two minutes unless given, past the rule of the birth marker. */
  readonly tablesAgeMs?: number;
  /** Whom alone the registries of images let in; everybody unless given. */
  readonly imageLogin?: RegistryLogin;
  /** Puts something between the use cases and their ports. */
  readonly wrap?: (deps: Deps) => Deps;
}

/** A cluster, ARM and the tables on one virtual clock, and the app between them. It is at noon, and nothing has happened. */
export class World {
  readonly scheduler: Scheduler;
  readonly cluster: MemoryCluster;
  readonly groups: MemoryContainerGroups;
  /** Agents in the groups' containers; those that a test sets, or finds. */
  readonly agents: MemoryAgentWords;
  findAgent: (place: AttachRequest) => MemoryAgent | undefined = () => undefined;
  readonly keptLogs: MemoryKeptLogs = createMemoryKeptLogs();
  readonly imageRegistry: MemoryImageRegistry;
  readonly store: MemoryStore;
  readonly settings: Settings;
  readonly warnings: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  deps: Deps;
  /** False: every webhook is lost. */
  relay = true;
  /** Every call of a port so far: `groups.get`, `api.patchPodStatus`, `store.upsertPod`. */
  readonly calls: string[] = [];
  /** Pod phases as the API server had them, by UID. */
  readonly phases = new Map<string, string[]>();
  readonly #options: WorldOptions;
  #pending: PodKey[] = [];
  #instances = 0;
  #seq = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.scheduler = new Scheduler(noon - (options.tablesAgeMs ?? 120_000));
    const now = (): number => this.now;
    this.cluster = createMemoryCluster({ now, uid: clusterUid });
    this.groups = createMemoryContainerGroups({
      now,
      images: { ...images, ...options.images },
      provisioningMs: options.provisioningMs ?? 5_000,
      visibleAfterMs: options.visibleAfterMs ?? 0,
      ...defined({ quota: options.quota }),
    });
    this.agents = createMemoryAgentWords(this.groups, (place) => this.findAgent(place));
    this.imageRegistry = createMemoryImageRegistry(options.imageLogin);
    this.store = createMemoryStore({ now });
    const parsed = parseSettings(settingsOf(options.nodes ?? [{ name: 'aci-1' }], options.settings));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
    this.settings = parsed.settings;
    this.deps = this.newInstance(random(options.seed ?? 1));
    this.cluster.watchPods((change, pod) => this.#hear(change, pod));
  }

  /** What it is everywhere in this world, in ms. */
  get now(): number {
    return this.scheduler.now;
  }

  set now(at: number) {
    this.scheduler.now = at;
  }

  /** A process of the app that knows nothing but the settings. */
  newInstance(next: () => number = random(this.#instances + 100)): Deps {
    this.#instances += 1;
    const deps = createAppProcess({
      settings: this.settings,
      log: {
        info: () => undefined,
        warn: (message, fields) => void this.warnings.push({ message, fields }),
      },
      store: this.store,
      groups: this.groups,
      agentWords: this.agents,
      keptLogs: this.keptLogs,
      imageRegistry: this.imageRegistry,
      cluster: this.cluster,
      random: next,
      clock: createProcessClock(this.scheduler),
      instance: `instance-${this.#instances}`,
      reserveCreate: freeReservation,
    });
    const counted = hooked(deps, { before: (call) => void this.calls.push(call) });
    return this.#options.wrap?.(counted) ?? counted;
  }

  restart(): void {
    this.deps = this.newInstance();
  }

  clusterDeps(): ClusterDeps {
    return clusterOf(this.deps);
  }

  nodeDeps(name = 'aci-1'): NodeDeps {
    const found = this.clusterDeps().nodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  nodes(): readonly NodeDeps[] {
    return nodesOf(this.deps);
  }

  #hear(change: string, pod: Pod): void {
    const { uid } = pod.metadata;
    const phases = this.phases.get(uid) ?? [];
    if (phases.at(-1) !== pod.status.phase) phases.push(pod.status.phase);
    this.phases.set(uid, phases);
    if (this.relay && pod.spec.nodeName !== '' && change !== '') this.#pending.push(keyOf(pod));
  }

  /** Creates a pod bound to `aci-1` of one container, restartPolicy Never. */
  createPod(image: Image, spec: JsonObject = {}, manifest: Partial<PodManifest> = {}): Pod {
    return this.cluster.pods.create({
      name: 'p',
      nodeName: 'aci-1',
      ...manifest,
      spec: { ...podSpec({ containers: [containerOf(image)] }), ...spec },
    });
  }

  pod(name = 'p'): Pod | undefined {
    return this.cluster.pods.get({ namespace: 'default', name });
  }

  /** `phase reason`, then each container's state: `main: exited 3`. */
  statusOf(name = 'p'): string {
    const pod = this.pod(name);
    if (pod === undefined) return 'gone';
    const { phase, reason, initContainerStatuses, containerStatuses } = pod.status;
    const states = [...initContainerStatuses, ...containerStatuses].map(({ name, state }) => {
      if (state.kind === 'waiting') return `${name}: ${state.reason}`;
      return state.kind === 'running' ? `${name}: running` : `${name}: ${state.reason} ${String(state.exitCode)}`;
    });
    return [reason === undefined ? phase : `${phase} ${reason}`, ...states].join(', ');
  }

  deletePod(name = 'p', gracePeriodSeconds?: number): void {
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    this.cluster.pods.delete({ namespace: 'default', name }, options);
  }

  row(node = 'aci-1'): PodRow | undefined {
    return this.rows(node)[0];
  }

  rows(node = 'aci-1'): readonly PodRow[] {
    return this.store.readPods({ cluster: clusterUid, node });
  }

  /** `reason: message` of each event, once. */
  events(reason?: string): readonly string[] {
    return this.cluster
      .events()
      .filter((event) => reason === undefined || event.reason === reason)
      .map((event) => `${event.reason}: ${event.message}`);
  }

  /** How often a port was called while `act` ran, e.g. `groups.get`, or all of `groups.`. */
  async count(call: string, act: () => Promise<unknown>): Promise<number> {
    const before = this.calls.length;
    await act();
    return this.calls.slice(before).filter((one) => one.startsWith(call)).length;
  }

  post(kind: PodEvents['kind'], pods: readonly PodKey[] = []): Promise<PodEventsOutcome> {
    this.#seq += 1;
    return handlePodEvents(
      this.deps,
      this.clusterDeps(),
      { epoch: 'e', seq: this.#seq, kind, pods: [...pods] },
      new AbortController().signal,
    );
  }

  /** The relay posts what it has heard, and again what the app did not answer. */
  async deliver(): Promise<void> {
    const pods = this.#pending.splice(0);
    if (pods.length === 0) return;
    try {
      await this.post('delta', pods);
    } catch (error) {
      this.#pending.unshift(...pods);
      throw error;
    }
  }

  /** The webhooks that have not been posted yet are lost. */
  forgetPending(): void {
    this.#pending = [];
  }

  async sweep(options: { readonly resync?: boolean } = {}): Promise<void> {
    await sweep(this.deps, this.nodes(), { resync: options.resync ?? false }, new AbortController().signal);
  }

  /** What the sweep's timer does beside it. */
  refresh(): Promise<void> {
    return refreshFiles(this.deps, this.nodes(), new AbortController().signal);
  }

  beat(): Promise<void> {
    return heartbeat(this.deps, this.nodes(), new AbortController().signal);
  }

  /** Lets time pass: webhooks at once, due pods each second while the relay ticks, a sweep every half minute. */
  async run(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await this.step();
      this.now += 1000;
    }
    await this.step();
  }

  async step(): Promise<void> {
    await this.deliver();
    const isDue = this.nodes().some((node) => (this.store.readDue(node.key)[0]?.dueAt ?? Infinity) <= this.now);
    if (this.relay && isDue) await this.post('tick');
    if (Math.floor(this.now / 1000) % 30 === 0) await this.sweep();
    await this.deliver();
  }
}

/** A world at noon, its tables old enough to PUT. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  for (const node of world.nodes()) await world.store.getBirth(node.key);
  world.now = noon;
  return world;
}
