import type { AddressPool } from './addresses.ts';
import { sleep } from './clock.ts';
import type { Clock } from './clock.ts';
import { ContainerLife, usagesOf } from './container-life.ts';
import type { ContainerContext } from './container-life.ts';
import { isTransitioning } from './group-state.ts';
import type { EventText, GroupEvent } from './group-state.ts';
import type { GroupEntry, GroupStore, Life, Operation, SandboxHandle } from './group-store.ts';
import { uidOf } from './journal.ts';
import type { Journal } from './journal.ts';
import type { VirtualNetwork } from './network/virtual-network.ts';
import type { EmulatorOptions } from './options.ts';
import type { HttpProbe } from './probes.ts';
import type { ContainerRuntime, LogOptions, RunningContainer } from './runtime/runtime.ts';
import { shareFault } from './shares.ts';
import { containerSpec, credentialsOf, emulatedVolumes, sandboxSpec, shortageOf } from './specs.ts';
import { restartPolicyOf } from './wire.ts';
import type { ContainerBody } from './wire.ts';

export interface LifeContext {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly options: EmulatorOptions;
  readonly store: GroupStore;
  readonly journal: Journal;
  readonly addresses: AddressPool;
  readonly network: VirtualNetwork;
  readonly httpProbe: HttpProbe;
  readonly draw: (baseMs: number) => number;
  readonly log: (message: string) => void;
}

export interface LifePlan {
  readonly kind: 'create' | 'start' | 'restart';
  readonly operation: Operation;
  /** The life before; it is ended first. */
  readonly predecessor: Life | undefined;
  /** Injected: the platform never finds room. */
  readonly capacity?: 'async' | 'never' | undefined;
}

/** Drives one life of a group in the background: sandbox, init containers in order, containers, until all have ended. */
export class GroupLife implements Life {
  readonly #context: LifeContext;
  readonly #entry: GroupEntry;
  readonly #plan: LifePlan;
  readonly #abort = new AbortController();
  readonly #aborted: Promise<undefined>;
  readonly #containers = new Map<string, ContainerLife>();
  readonly usage = (): ReturnType<Life['usage']> => usagesOf(this.#containers.values());
  #sandbox: SandboxHandle | undefined;
  #done: Promise<void> = Promise.resolve();
  #freed: Promise<void> | undefined;
  #provisioned = false;
  #evicted = false;

  constructor(context: LifeContext, entry: GroupEntry, plan: LifePlan) {
    this.#context = context;
    this.#entry = entry;
    this.#plan = plan;
    const { signal } = this.#abort;
    this.#aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  }

  /** Begins in the background. Trouble of the runtime fails the group, never the emulator. */
  begin(): void {
    const { clock, options } = this.#context;
    const cancel = clock.schedule(options.provisioningTimeoutSeconds * 1000, () => this.#timeOut());
    this.#abort.signal.addEventListener('abort', cancel);
    this.#done = this.#live()
      .catch((error: unknown) => this.#failUnexpectedly(error))
      .finally(cancel);
  }

  async #live(): Promise<void> {
    const { timings } = this.#context.options;
    const { kind, predecessor, capacity } = this.#plan;
    const kept = await predecessor?.retire({ keepSandbox: kind === 'restart', recordKills: kind === 'restart' });
    if (kind !== 'restart' && !(await this.#pause(timings.pendingMs))) return;
    if (kind !== 'restart') this.#apply({ kind: 'provisioning', state: 'Creating' });
    if (kind === 'create') this.#plan.operation.status = 'Creating';
    if (capacity === 'async') return this.#fail(this.#shortage());
    if (capacity === 'never') {
      await this.#aborted;
      return;
    }
    const unmounted = shareFault(this.#entry.body, this.#context.options);
    if (unmounted !== undefined) return this.#fail(unmounted);
    if (!(await this.#context.network.admit(this.#entry, this.#context.clock, this.#abort.signal))) return;
    const sandbox = kept ?? (await this.#createSandbox());
    this.#sandbox = sandbox;
    if (this.#abort.signal.aborted) return;
    if (kept === undefined) await this.#context.network.join(sandbox, this.#entry);
    this.#assignAddress(sandbox, kind);
    if (!(await this.#pause(timings.pullingMs))) return;
    await this.#runContainers(sandbox);
  }

  async #createSandbox(): Promise<SandboxHandle> {
    const { runtime, clock, network } = this.#context;
    for (const event of emulatedVolumes(this.#entry.body)) this.#apply({ kind: 'group-event', event });
    return runtime.createSandbox(sandboxSpec(this.#entry, clock.now(), network.groups.nameServer));
  }

  #assignAddress(sandbox: SandboxHandle, kind: LifePlan['kind']): void {
    const entry = this.#entry;
    const { ipAddress, subnetIds } = entry.body.properties;
    if (ipAddress === undefined) return;
    if (sandbox.ip !== undefined) {
      entry.ip = sandbox.ip;
      return;
    }
    const subnet = subnetIds?.[0]?.id;
    if (ipAddress.type === 'Private') entry.ip ??= this.#context.addresses.takePrivate(subnet ?? 'default');
    else if (entry.ip === undefined || kind === 'start') entry.ip = this.#context.addresses.takePublic();
  }

  async #runContainers(sandbox: SandboxHandle): Promise<void> {
    const { initContainers = [], containers } = this.#entry.body.properties;
    const { groups, knobs } = this.#context.network;
    if (knobs.kubeProxyInInit) await groups.startExtensions(sandbox, this.#entry.body, this.usage);
    for (const body of initContainers) {
      const exitCode = await this.#runContainer(sandbox, body, { init: true, onAttempt: () => {} });
      if (exitCode === undefined) return;
      if (exitCode !== 0) {
        this.#provision();
        return this.#free();
      }
    }
    await groups.startExtensions(sandbox, this.#entry.body, this.usage);
    let attempted = 0;
    const firstAttempts = new Set<string>();
    const onAttempt = (name: string): void => {
      if (firstAttempts.has(name)) return;
      firstAttempts.add(name);
      attempted += 1;
      if (attempted === containers.length) void this.#settleProvisioning();
    };
    const ends = await Promise.all(
      containers.map((body) =>
        this.#runContainer(sandbox, body, { init: false, onAttempt: () => onAttempt(body.name) }),
      ),
    );
    if (!ends.includes(undefined)) await this.#free();
  }

  async #runContainer(
    sandbox: SandboxHandle,
    body: ContainerBody,
    options: { readonly init: boolean; readonly onAttempt: () => void },
  ): Promise<number | undefined> {
    const life = new ContainerLife(
      this.#containerContext(sandbox),
      body,
      containerSpec(this.#entry.body, body),
      options.init,
    );
    this.#containers.set(body.name, life);
    if (!(await life.pull())) return undefined;
    const { startedMs, restartedMs } = this.#context.options.timings;
    if (!(await this.#pause(this.#plan.kind === 'restart' ? restartedMs : startedMs))) return undefined;
    return life.run(options.onAttempt);
  }

  #containerContext(sandbox: SandboxHandle): ContainerContext {
    const { clock, runtime, options, journal, httpProbe, draw } = this.#context;
    const { id: group, body } = this.#entry;
    return {
      clock,
      runtime,
      options,
      journal,
      httpProbe,
      draw,
      signal: this.#abort.signal,
      aborted: this.#aborted,
      policy: restartPolicyOf(body),
      sandboxId: sandbox.id,
      host: sandbox.ip ?? '127.0.0.1',
      credentials: credentialsOf(body, options),
      apply: (event) => this.#apply(event),
      newRun: (start) => {
        const tags = this.#entry.tags ?? {};
        const open = { finishedAt: undefined, exitCode: undefined, oomKilled: undefined };
        const run = { group, uid: uidOf(tags, options.uidTag), tags, sandbox: sandbox.id, ...start, ...open };
        journal.runs.add(run);
        return run;
      },
    };
  }

  /** A step of provisioning; its length is drawn from the timings. */
  #pause(baseMs: number): Promise<boolean> {
    return sleep(this.#context.clock, this.#context.draw(baseMs), this.#abort.signal);
  }

  async #settleProvisioning(): Promise<void> {
    if (await this.#pause(this.#context.options.timings.succeededMs)) this.#provision();
  }

  #provision(): void {
    if (this.#provisioned) return;
    this.#provisioned = true;
    this.#apply({ kind: 'provisioning', state: 'Succeeded' });
    this.#context.store.finish(this.#plan.operation, 'Succeeded');
  }

  #timeOut(): void {
    if (!this.#provisioned && isTransitioning(this.#entry.status))
      this.#fail({ name: 'Failed', message: 'The container group was not provisioned in time.', type: 'Warning' });
  }

  #fail(event: EventText): void {
    const now = this.#context.clock.now();
    this.#provisioned = true;
    this.#apply({ kind: 'group-event', event });
    this.#apply({ kind: 'provisioning', state: 'Failed' });
    const { operation } = this.#plan;
    operation.events = [{ ...event, count: 1, firstTimestamp: now, lastTimestamp: now }];
    this.#context.store.finish(operation, 'Failed');
    if (!this.#context.options.failedGroupsKeepTrying) void this.destroy();
  }

  #failUnexpectedly(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#context.log(`container group ${this.#entry.name}: ${message}`);
    if (!this.#abort.signal.aborted) this.#fail({ name: 'Failed', message, type: 'Warning' });
  }

  #shortage(): EventText {
    const message = shortageOf(this.#entry.body, this.#entry.location);
    return { name: 'InsufficientCapacity.', message, type: 'Warning' };
  }

  #apply(event: GroupEvent): void {
    if (!this.#abort.signal.aborted) this.#context.store.apply(this.#entry, event);
  }

  async retire(mode: {
    readonly keepSandbox: boolean;
    readonly recordKills: boolean;
  }): Promise<SandboxHandle | undefined> {
    const live = [...this.#containers.values()];
    if (mode.recordKills) for (const c of live) if (c.running !== undefined) c.recordKilling(c.running);
    this.#abort.abort();
    // What is just being started must have started before it can be stopped.
    await this.#done;
    await Promise.all(live.map((c) => c.halt(false)));
    const sandbox = this.#freed === undefined ? this.#sandbox : undefined;
    if (mode.keepSandbox) return sandbox;
    await this.#free();
    return undefined;
  }

  async destroy(): Promise<void> {
    this.#abort.abort();
    await this.#done;
    await this.#free();
  }

  /** Gives the sandbox back once; logs of ended containers were kept before. */
  #free(): Promise<void> {
    const { runtime, log, network } = this.#context;
    const sandbox = this.#sandbox;
    if (sandbox === undefined) return Promise.resolve();
    const free = (): Promise<void> => network.groups.leave(sandbox.id).then(() => runtime.deleteSandbox(sandbox.id));
    this.#freed ??= free().catch((error: unknown) => {
      log(`sandbox ${sandbox.id}: ${error instanceof Error ? error.message : String(error)}`);
    });
    return this.#freed;
  }

  async readLogs(container: string, options: LogOptions): Promise<string | undefined> {
    return this.#evicted ? undefined : this.#containers.get(container)?.readLogs(options);
  }

  running(container: string): RunningContainer | undefined {
    return this.#containers.get(container)?.running;
  }

  async kill(container: string | undefined, exitCode: number): Promise<void> {
    const chosen = [...this.#containers].filter(([name]) => container === undefined || name === container);
    await Promise.all(chosen.map(([, c]) => c.killAs(exitCode)));
  }

  async evict(exitCode: number): Promise<void> {
    const live = [...this.#containers.values()];
    for (const c of live) if (c.running !== undefined) c.recordKilling(c.running);
    this.#evicted = true;
    this.#abort.abort();
    await this.#done;
    await Promise.all(live.map((c) => c.killAs(exitCode)));
    this.#context.store.apply(this.#entry, { kind: 'evicted', exitCode });
    await this.#free();
  }
}
