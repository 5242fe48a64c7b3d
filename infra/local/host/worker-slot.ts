import type { HostContext } from './host-context.ts';
import { WorkerProcess } from './worker-process.ts';
import type { LoadOutcome, WorkerIdentity } from './worker-process.ts';

const MAX_BACKOFF_MS = 30_000;

export interface SlotEvents {
  /** A process is ready for work; reported at once to who asks while one is. */
  onReady(process: WorkerProcess): void;
  /** The process that was ready is gone: alone, or with its whole instance. */
  onGone(process: WorkerProcess): void;
}

/** A row of one worker: describes it and lets somebody look at it. */
export interface WorkerRow extends WorkerIdentity {
  state: 'waiting' | WorkerProcess['state'];
  readonly pid: number | undefined;
  readonly startedAt: string | undefined;
  readonly invocations: number;
  readonly inFlight: number;
}

/** Keeps one worker process alive: when it dies, another one is started after the recovery time. */
export class WorkerSlot {
  readonly identity: WorkerIdentity;
  process: WorkerProcess | undefined;
  readonly #context: HostContext;
  readonly #recoveryMs: number;
  readonly #events: SlotEvents[] = [];
  #timer: NodeJS.Timeout | undefined;
  #held = false;
  #stopped = false;
  #failures = 0;
  #firstLoad: ((outcome: LoadOutcome) => void) | undefined;

  constructor(options: { context: HostContext; identity: WorkerIdentity; recoveryMs: number }) {
    this.identity = options.identity;
    this.#context = options.context;
    this.#recoveryMs = options.recoveryMs;
  }

  /** Reports each process to come, and of the one that is there. */
  subscribe(events: SlotEvents): void {
    this.#events.push(events);
    if (this.process?.state === 'ready') events.onReady(this.process);
  }

  /** Starts the first process; resolves when it has loaded the app or failed to. */
  start(): Promise<LoadOutcome> {
    return new Promise((resolve) => {
      this.#firstLoad = resolve;
      this.#held = false;
      this.#stopped = false;
      this.#launchAfter(0);
    });
  }

  /** `worker`: the process alone; its instance starts another one and keeps its locks. */
  kill(signal: NodeJS.Signals, what: 'instance' | 'worker' = 'instance'): void {
    if (what === 'worker') this.process?.kill(signal);
    else this.process?.crash(signal);
  }

  /** Kills the process and starts none until `resume`. */
  hold(): void {
    this.#held = true;
    clearTimeout(this.#timer);
    this.kill('SIGKILL');
  }

  resume(): void {
    if (this.#held && !this.#stopped) {
      this.#held = false;
      this.#launchAfter(0);
    }
  }

  /** Ends the process gracefully, for good. */
  async stop(drainMs: number): Promise<void> {
    this.#held = true;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#firstLoad?.({ kind: 'failed', message: 'The host was stopped.' });
    await this.process?.stop(drainMs);
  }

  row(): WorkerRow {
    const { process } = this;
    return {
      ...this.identity,
      state: process?.state ?? 'waiting',
      pid: process?.state === 'exited' ? undefined : process?.pid,
      startedAt: process?.startedAt,
      invocations: process?.invocations ?? 0,
      inFlight: process?.inFlight ?? 0,
    };
  }

  #launchAfter(recoveryMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#launch(), recoveryMs + this.#context.knobs.startUpDelayMs);
  }

  async #launch(): Promise<void> {
    const process = new WorkerProcess(this.#context, this.identity);
    this.process = process;
    const outcome = await process.loaded;
    if (outcome.kind === 'ready') {
      this.#failures = 0;
      this.#events.forEach((events) => events.onReady(process));
    } else {
      this.#failures += 1;
      this.#context.logs.host('error', 'Worker', outcome.message);
    }
    this.#firstLoad?.(outcome);
    this.#firstLoad = undefined;
    await process.exited;
    if (outcome.kind === 'ready') this.#events.forEach((events) => events.onGone(process));
    if (!this.#held && this.process === process)
      this.#launchAfter(Math.min(this.#recoveryMs * 2 ** Math.max(0, this.#failures - 1), MAX_BACKOFF_MS));
  }
}
