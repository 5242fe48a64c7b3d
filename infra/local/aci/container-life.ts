import { sleep } from './clock.ts';
import type { Clock } from './clock.ts';
import { imageReference, restarts } from './group-state.ts';
import type { GroupEvent, Terminated } from './group-state.ts';
import type { RunUsage } from './group-store.ts';
import type { Journal, Run } from './journal.ts';
import { lastLines, newestPart, stripTimestamps } from './logs.ts';
import type { EmulatorOptions } from './options.ts';
import { watchProbe } from './probes.ts';
import type { HttpProbe } from './probes.ts';
import type {
  ContainerRuntime,
  ContainerSpec,
  LogOptions,
  RegistryCredential,
  RunningContainer,
} from './runtime/runtime.ts';
import type { ContainerBody, ProbeBody, RestartPolicy } from './wire.ts';

/** What a container's life needs of its group. */
export interface ContainerContext {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly options: EmulatorOptions;
  readonly journal: Journal;
  readonly httpProbe: HttpProbe;
  readonly signal: AbortSignal;
  /** Resolves when `signal` aborts. */
  readonly aborted: Promise<undefined>;
  readonly policy: RestartPolicy;
  readonly sandboxId: string;
  readonly host: string;
  readonly credentials: readonly RegistryCredential[];
  readonly apply: (event: GroupEvent) => void;
  readonly draw: (baseMs: number) => number;
  readonly newRun: (start: Pick<Run, 'container' | 'init' | 'containerId' | 'startedAt'>) => Run;
}

/** Pulls, starts, probes and restarts one container as the group's policy says. */
export class ContainerLife {
  running: RunningContainer | undefined;
  readonly #context: ContainerContext;
  readonly #body: ContainerBody;
  readonly #spec: ContainerSpec;
  readonly #init: boolean;
  #retainedLog: string | undefined;
  #shownExitCode: number | undefined;

  constructor(context: ContainerContext, body: ContainerBody, spec: ContainerSpec, init: boolean) {
    this.#context = context;
    this.#body = body;
    this.#spec = spec;
    this.#init = init;
  }

  /** Tries until the image is there; `false` when aborted. */
  async pull(): Promise<boolean> {
    const { runtime, options, clock, signal, apply, credentials, aborted, draw } = this.#context;
    const container = this.#spec.name;
    const { image } = this.#spec;
    for (let attempt = 0; ; attempt++) {
      const pulling = { name: 'Pulling', message: `Pulling image "${image}"`, type: 'Normal' } as const;
      apply({ kind: 'container-event', container, event: pulling });
      const shortest = sleep(clock, draw(options.timings.pulledMs), signal);
      const result = await Promise.race([runtime.pullImage(image, credentials), aborted]);
      if (result === undefined || !(await shortest)) return false;
      if (result.kind === 'pulled') {
        apply({ kind: 'pulled', container, reference: imageReference(image, result.digest) });
        return true;
      }
      const failed = {
        name: 'Failed',
        message: `Failed to pull image "${image}": ${result.message}`,
        type: 'Warning',
      } as const;
      apply({ kind: 'container-event', container, event: failed });
      const waiting = { name: 'BackOff', message: `Back-off pulling image "${image}"`, type: 'Normal' } as const;
      apply({ kind: 'container-event', container, event: waiting });
      if (!(await sleep(clock, delayOf(options.pullBackoff, attempt), signal))) return false;
    }
  }

  /** Runs the container to its final end and gives the exit code; `undefined` when aborted. `onAttempt` after each start. */
  async run(onAttempt: () => void): Promise<number | undefined> {
    const { options, clock, signal, apply, policy } = this.#context;
    const container = this.#spec.name;
    let attempt = 0;
    for (;;) {
      const end = await this.#runOnce(onAttempt);
      if (end === undefined || signal.aborted) return undefined;
      const settled = !restarts(policy, this.#init, end.exitCode);
      apply({ kind: 'ended', container, end, settled });
      if (settled) return end.exitCode;
      if (end.finishTime - (end.startTime ?? end.finishTime) >= options.restartBackoff.resetMs) attempt = 0;
      const delayMs = delayOf(options.restartBackoff, attempt++);
      apply({ kind: 'back-off', container, delayMs });
      if (!(await sleep(clock, delayMs, signal))) return undefined;
    }
  }

  async #runOnce(onAttempt: () => void): Promise<Terminated | undefined> {
    const { runtime, clock, apply, aborted, sandboxId, signal, options } = this.#context;
    const container = this.#spec.name;
    const started = await runtime.startContainer(sandboxId, this.#spec);
    if (started.kind === 'start-fault') {
      const message = `Error: Failed to start container ${container}, Error response: ${started.message}`;
      apply({ kind: 'container-event', container, event: { name: 'Failed', message, type: 'Warning' } });
      onAttempt();
      const exitCode = options.startFaultExitCode;
      return { state: 'Terminated', exitCode, finishTime: clock.now(), detailStatus: 'Error' };
    }
    const ended = this.#record(started);
    if (signal.aborted) {
      ended.catch(ignore);
      return undefined;
    }
    apply({ kind: 'started', container, startTime: started.startedAt });
    onAttempt();
    const probing = this.#startProbes(started);
    const end = await Promise.race([ended, aborted]);
    probing.abort();
    if (end === undefined) return undefined;
    await this.#retainLog(started);
    const exitCode = this.#shownExitCode ?? end.exitCode;
    this.#shownExitCode = undefined;
    const detailStatus = end.oomKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    return { state: 'Terminated', startTime: started.startedAt, exitCode, finishTime: end.finishedAt, detailStatus };
  }

  async #record(started: RunningContainer): ReturnType<RunningContainer['wait']> {
    this.running = started;
    const run = this.#context.newRun({
      container: this.#spec.name,
      init: this.#init,
      containerId: started.id,
      startedAt: new Date(started.startedAt).toISOString(),
    });
    const end = await started.wait();
    run.finishedAt = new Date(end.finishedAt).toISOString();
    run.exitCode = this.#shownExitCode ?? end.exitCode;
    run.oomKilled = end.oomKilled;
    return end;
  }

  #startProbes(started: RunningContainer): AbortController {
    const probing = new AbortController();
    const { livenessProbe, readinessProbe } = this.#body.properties;
    const watch = (probe: ProbeBody | undefined, label: string, onDead: () => Promise<void>): void => {
      if (probe === undefined) return;
      void this.#watch(started, probing.signal, { probe, label }).then((dead) => (dead ? onDead() : undefined), ignore);
    };
    watch(livenessProbe, 'Liveness', () => this.#kill(started));
    // Readiness only shows as events: ACI has no field for it.
    watch(readinessProbe, 'Readiness', () => Promise.resolve());
    return probing;
  }

  #watch(
    started: RunningContainer,
    signal: AbortSignal,
    what: { readonly probe: ProbeBody; readonly label: string },
  ): Promise<boolean> {
    const { clock, httpProbe, apply, host } = this.#context;
    const onFailure = (message: string): void => {
      const event = { name: 'Unhealthy', message: `${what.label} probe failed: ${message}`, type: 'Warning' } as const;
      apply({ kind: 'container-event', container: this.#spec.name, event });
    };
    return watchProbe(what.probe, { clock, container: started, host, httpProbe, signal, onFailure });
  }

  /** Ends the present process with grace, leaving a `Killing` event unless given not to. */
  async halt(recordKill: boolean): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    await (recordKill ? this.#kill(running) : running.stop(this.#context.options.stopGraceSeconds));
  }

  async #kill(running: RunningContainer): Promise<void> {
    this.recordKilling(running);
    await running.stop(this.#context.options.stopGraceSeconds);
  }

  recordKilling(running: RunningContainer): void {
    const message = `Killing container with id ${running.id}.`;
    this.#context.apply({
      kind: 'container-event',
      container: this.#spec.name,
      event: { name: 'Killing', message, type: 'Normal' },
    });
  }

  /** Kills at once; the status shows `exitCode` instead of the process's own. */
  async killAs(exitCode: number): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    this.#shownExitCode = exitCode;
    this.recordKilling(running);
    await running.stop(0);
  }

  async #retainLog(ended: RunningContainer): Promise<void> {
    const { stoppedBytes, stoppedLines } = this.#context.options.logRetention;
    const text = await ended.readLogs({ timestamps: true, tail: stoppedLines });
    this.#retainedLog = newestPart(text, stoppedBytes, stoppedLines);
    this.running = undefined;
  }

  /** What the present instance uses; nothing where there is none. */
  async usage(): Promise<readonly RunUsage[]> {
    const { running } = this;
    const used = await running?.usage();
    if (running === undefined || used === undefined) return [];
    return [{ container: this.#spec.name, run: running.id, startedAt: running.startedAt, ...used }];
  }

  /** The present instance's log; `undefined` before the first start. */
  async readLogs(options: LogOptions): Promise<string | undefined> {
    if (this.running !== undefined)
      return newestPart(await this.running.readLogs(options), this.#context.options.logRetention.runningBytes);
    if (this.#retainedLog === undefined) return undefined;
    const tail = lastLines(this.#retainedLog, options.tail ?? Number.POSITIVE_INFINITY);
    return options.timestamps ? tail : stripTimestamps(tail);
  }
}

/** What the present instances of some containers use. */
export async function usagesOf(containers: Iterable<ContainerLife>): Promise<readonly RunUsage[]> {
  return (await Promise.all([...containers].map((container) => container.usage()))).flat();
}

function delayOf(backoff: { readonly baseMs: number; readonly maxMs: number }, attempt: number): number {
  return Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 20));
}

/** What is asked of a container that has gone meanwhile may fail in any way. */
function ignore(): void {}
