import { EventQueue } from '../../infra/local/sim/time/event-queue.ts';
import { allSettled } from '../../infra/local/sim/time/scheduler.ts';
import { unsettled } from '../../infra/local/sim/oracles/at-rest.ts';
import { isInWindow } from '../../infra/local/sim/oracles/window.ts';
import { images } from '../../infra/local/sim/pods/images.ts';
import type { PodManifest } from '../../infra/local/sim/cluster-pods.ts';
import { heartbeat } from '../../shared/app/heartbeat.ts';
import { refreshFiles } from '../../shared/app/refresh-files.ts';
import { sweep } from '../../shared/app/sweep.ts';
import type { Deps, NodeDeps } from '../../shared/app/deps.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import { agentSettings, clusterUid } from '../fixtures/settings.ts';
import { createWorld } from '../app/world.ts';
import type { World, WorldOptions } from '../app/world.ts';
import { noon } from '../fixtures/pods.ts';
import { LifeAgents } from './agents.ts';
import type { AgentManners } from './agents.ts';
import type { Faults } from './fault.ts';
import type { Call } from '../../infra/local/sim/processes/counted-process.ts';
import { nodesOf } from '../../infra/local/sim/app-process.ts';
import { Processes } from './processes.ts';
import { Relay } from './relay.ts';
import { Witness } from './witness.ts';

export const nodeName = 'aci-1';
/** A value that only a container, or ACI's `secureValue`, may hold. */
export const plantedSecret = 'planted-7f3a9c';
const secrets = new RegExp(`${plantedSecret}|token-\\d+-of-`);
export const podUidPrefix = '5d0e6b0c-0000-4000-8000';
/** What a fault may add to any step of a life: the lock of the dead (40 s), the wait of an open intent (60 s), two polls and a sweep. */
const recoveryMs = 180_000;
/** After a request that arrived in the window only the resync finds what it left behind. */
const windowRecoveryMs = 480_000;
/** So long nothing may happen any more once everything has settled. */
const calmMs = 35_000;
const timerEveryMs = 30_000;
const imageConfig = {
  digest: `sha256:${'ab'.repeat(32)}`,
  config: { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' },
};
const deadlines = { sweep: 45_000, heartbeat: 12_000 };

export interface LifeOptions {
  readonly world?: WorldOptions;
  /** False: every webhook and every tick is lost. */
  readonly relay?: boolean;
  readonly budgets?: boolean;
  /** With them the app gives pods that need it the agent. */
  readonly agents?: AgentManners;
  readonly faults?: Faults;
  /** With it two processes work at the same time, and the order of their calls is drawn from it. */
  readonly seed?: number;
  readonly onCall?: (call: Call, life: Life) => void;
}

/** A step of the story did not happen in time; the rest of the story would make no sense. */
export class Stuck extends Error {}

/**
 * A pod's life on virtual time: the world, one or two processes of the app with their timers and webhooks, the users'
 * hands, and a witness. Deterministic: the same options give the same calls.
 */
export class Life {
  readonly world: World;
  readonly witness: Witness;
  readonly processes: Processes;
  readonly startedAt = noon;
  readonly #options: LifeOptions;
  readonly #timers = new EventQueue<() => void>();
  readonly #relay: Relay | undefined;
  /** Undefined: the app has no agent to give. */
  readonly agents: LifeAgents | undefined;
  #whenever: { readonly when: () => boolean; readonly act: () => void }[] = [];
  #made = 0;

  constructor(world: World, options: LifeOptions) {
    this.world = world;
    this.#options = options;
    this.witness = new Witness({ outside: world, node: this.key, secret: secrets });
    this.processes = new Processes({
      world,
      faults: options.faults ?? {},
      seed: options.seed,
      budgets: options.budgets ?? false,
      onCall: (call) => this.#onCall(call),
      onLog: (message, fields) => this.witness.onLog(message, fields),
    });
    this.#relay = options.relay === false ? undefined : this.#createRelay();
    this.agents = options.agents && this.#createAgents(options.agents);
    this.#addTimer(0, (deps, nodes) => {
      const signal = deps.clock.timeout(deadlines.sweep);
      return Promise.all([sweep(deps, nodes, { resync: false }, signal), refreshFiles(deps, nodes, signal)]);
    });
    this.#addTimer(1, (deps, nodes) => heartbeat(deps, nodes, deps.clock.timeout(deadlines.heartbeat)));
  }

  get now(): number {
    return this.world.now;
  }

  get key() {
    return { cluster: clusterUid, node: nodeName };
  }

  /** Some request arrived in the documented window. */
  get isInWindow(): boolean {
    return isInWindow(this.processes.late);
  }

  // --- hands -------------------------------------------------------------------------------------------------------

  createPod(manifest: Pick<PodManifest, 'spec' | 'ownerReferences' | 'finalizers'>): Pod {
    this.#made += 1;
    const uid = `${podUidPrefix}-${String(this.#made).padStart(12, '0')}`;
    return this.world.cluster.pods.create({ name: 'p', nodeName, uid, ...manifest });
  }

  /** Acts once, as soon as it is so, even between two calls of a process. */
  whenever(when: () => boolean, act: () => void): void {
    this.#whenever.push({ when, act });
  }

  /** All tables are emptied, and every lock with them. */
  loseTables(): void {
    this.world.store.clear();
    this.witness.arm.tablesLostAt = this.now;
  }

  // --- time --------------------------------------------------------------------------------------------------------

  /** Lets time pass until it is so; what takes longer than `withinSeconds` and a recovery from faults is O7. */
  async until(what: string, isSo: () => boolean, withinSeconds = 60): Promise<void> {
    const from = this.now;
    for (;;) {
      this.#act();
      if (isSo()) return;
      const limit = Math.max(from, this.processes.lastFaultAt) + withinSeconds * 1000 + this.#recovery();
      if (this.now > limit) {
        this.witness.report('O7', `not within ${withinSeconds} s and a recovery: ${what}`);
        throw new Stuck(what);
      }
      await this.#step(limit + 1);
    }
  }

  async pass(seconds: number): Promise<void> {
    const end = this.now + seconds * 1000;
    while (this.now < end) await this.#step(end);
  }

  /** The last fault passes, everything comes to rest, and stays so. A fault may still come while it should. */
  async finish(): Promise<void> {
    let why: string | undefined = '';
    const isSettled = (): boolean => {
      const isIdle = this.processes.isIdle && this.#relay?.isIdle !== false && this.agents?.isIdle !== false;
      why = isIdle ? this.#unsettled() : 'work is under way';
      return why === undefined;
    };
    await this.until('all is settled', isSettled, 120).catch((error: unknown) => {
      if (error instanceof Stuck) this.witness.report('O7', String(why));
      throw error;
    });
    const before = { writes: this.witness.armWrites, met: this.processes.faultsMet };
    await this.pass(calmMs / 1000);
    if (this.processes.faultsMet > before.met) return this.finish();
    why = this.#unsettled();
    if (why !== undefined) this.witness.report('O7', `settled, and then not: ${why}`);
    if (this.witness.armWrites !== before.writes)
      this.witness.report('O7', 'ARM is written to although all is settled');
  }

  #unsettled(): string | undefined {
    return unsettled(this.world, this.key, this.witness.stories);
  }

  #recovery(): number {
    if (this.processes.faultsMet === 0) return 0;
    return this.isInWindow ? windowRecoveryMs : recoveryMs;
  }

  async #step(horizon: number): Promise<void> {
    this.#relay?.trigger();
    this.agents?.trigger();
    for (const fire of this.#timers.takeAll(this.now)) fire();
    await allSettled();
    if (this.processes.release()) return allSettled();
    const parts = [this.#relay, this.agents, this.#timers, this.processes];
    const nextAt = Math.min(...parts.map((part) => part?.nextAt ?? Infinity));
    this.world.now = Math.max(this.now, Math.min(horizon, nextAt));
    return this.processes.wake();
  }

  #onCall(call: Call): void {
    this.witness.onCall(call);
    this.#options.onCall?.(call, this);
    this.#act();
  }

  #act(): void {
    for (const one of this.#whenever) {
      if (!one.when()) continue;
      this.#whenever = this.#whenever.filter((other) => other !== one);
      one.act();
    }
  }

  // --- what calls the app ------------------------------------------------------------------------------------------

  #createRelay(): Relay {
    const { cluster, store } = this.world;
    const relay = new Relay({
      now: () => this.now,
      changes: () => store.table.changes(),
      dueAt: () => store.readDue(this.key)[0]?.dueAt ?? Infinity,
      able: () => this.processes.able(),
      start: (invocation) => this.#start(invocation),
    });
    cluster.watchPods((_change, pod) => pod.spec.nodeName === nodeName && relay.hear(pod));
    return relay;
  }

  #createAgents(manners: AgentManners): LifeAgents {
    const { groups, imageRegistry, settings } = this.world;
    if (settings.AGENT_ROOT_KEYS === undefined) throw new Error('an app without keys has no agents');
    for (const image of Object.keys(images))
      imageRegistry.put(`index.docker.io/library/${image}`, 'latest', imageConfig);
    const agents = new LifeAgents({
      now: () => this.now,
      groups,
      keys: settings.AGENT_ROOT_KEYS,
      manners,
      able: () => this.processes.able(),
      start: (invocation) => this.#start(invocation),
    });
    this.world.findAgent = (place) => agents.at(place);
    return agents;
  }

  /** Each half minute, in one process at a time. */
  #addTimer(shift: number, run: (deps: Deps, nodes: readonly NodeDeps[]) => Promise<unknown>, at = noon): void {
    this.#timers.add(at, () => {
      const next = at + timerEveryMs;
      this.#addTimer(shift, run, next);
      const able = this.processes.able();
      const deps = able[(next / timerEveryMs + shift) % able.length]?.deps;
      if (deps !== undefined) this.#start(run(deps, nodesOf(deps)));
    });
  }

  /** Nothing that a process of the app throws is expected. */
  #start(invocation: Promise<unknown>): void {
    invocation.catch((error: unknown) =>
      this.witness.report('O7', `an invocation threw ${error instanceof Error ? (error.stack ?? '') : String(error)}`),
    );
  }
}

export async function createLife(options: LifeOptions): Promise<Life> {
  const settings = { ...(options.agents !== undefined && agentSettings), ...options.world?.settings };
  return new Life(await createWorld({ ...options.world, settings }), options);
}
