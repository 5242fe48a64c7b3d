import type { HostContext } from './host-context.ts';
import { bodyBytes, fitsMemory } from './instance-memory.ts';
import { invokeOn } from './invoker.ts';
import type { Invocation } from './invoker.ts';
import type { InvocationOutcome, LoadOutcome, WorkerProcess } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';

/** A request that waits for an instance. */
interface Waiting {
  readonly invocation: Invocation;
  readonly signal: AbortSignal;
  readonly resolve: (outcome: InvocationOutcome) => void;
}

/**
 * The instances of the HTTP group. Work goes round the instances that have room; when none has, it waits, and an instance
 * is added up to the limit. Added instances go away when they have been idle.
 */
export class HttpPool {
  readonly #context: HostContext;
  #slots: WorkerSlot[] = [];
  #waiting: Waiting[] = [];
  #turn = 0;
  #scaleIn: NodeJS.Timeout | undefined;

  constructor(context: HostContext) {
    this.#context = context;
  }

  get slots(): readonly WorkerSlot[] {
    return this.#slots;
  }

  /** Starts the instances that are always there; one outcome each. */
  start(): Promise<LoadOutcome[]> {
    const { httpInstances, scaleInAfterMs } = this.#context.knobs;
    this.#scaleIn = setInterval(() => this.#removeIdle(), Math.max(50, scaleInAfterMs / 4)).unref();
    return Promise.all(Array.from({ length: httpInstances }, () => this.#addSlot().start()));
  }

  /** Runs an invocation on some instance. `lost` when that died, or when `signal` ended the wait for one. */
  run(invocation: Invocation, signal: AbortSignal): Promise<InvocationOutcome> {
    return new Promise((resolve) => {
      const waiting: Waiting = { invocation, signal, resolve };
      signal.addEventListener('abort', () => this.#forget(waiting), { once: true });
      this.#waiting.push(waiting);
      this.#dispatch();
    });
  }

  /** Answers all that wait with `lost`: the app is down. */
  dropWaiting(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve({ kind: 'lost' });
  }

  async stop(drainMs: number): Promise<void> {
    clearInterval(this.#scaleIn);
    await Promise.all(this.#slots.map((slot) => slot.stop(drainMs)));
    this.dropWaiting();
  }

  /** Gives what waits here to another pool. */
  handOver(to: HttpPool): void {
    to.#waiting.push(...this.#waiting.splice(0));
    to.#dispatch();
  }

  #addSlot(): WorkerSlot {
    const used = new Set(this.#slots.map((slot) => slot.identity.name));
    let index = 0;
    while (used.has(`http-${index}`)) index += 1;
    const slot = new WorkerSlot({
      context: this.#context,
      identity: { name: `http-${index}`, group: this.#context.isSingleProcess ? 'all' : 'http' },
      recoveryMs: this.#context.knobs.httpRecoveryMs,
    });
    slot.subscribe({ onReady: () => this.#dispatch(), onGone: () => undefined });
    this.#slots.push(slot);
    return slot;
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#nextWorker();
      if (worker === undefined) {
        this.#scaleOut();
        return;
      }
      const next = this.#waiting.shift();
      if (next !== undefined) void this.#work(worker, next);
    }
  }

  async #work(worker: WorkerProcess, { invocation, resolve }: Waiting): Promise<void> {
    if (!fitsMemory(worker.bodyBytes + bodyBytes(invocation.data), this.#context.knobs)) {
      this.#context.logs.host(
        'error',
        'Worker',
        `An instance (pid ${worker.pid}) is out of memory: bodies are too large.`,
      );
      worker.crash('SIGKILL');
    }
    resolve(await invokeOn(this.#context, worker, invocation));
    this.#dispatch();
  }

  #nextWorker(): WorkerProcess | undefined {
    const { perInstanceConcurrency } = this.#context.knobs;
    const workers = this.#slots.flatMap(({ process }) => (process?.state === 'ready' ? [process] : []));
    const free = workers.filter((worker) => worker.inFlight < perInstanceConcurrency);
    this.#turn += 1;
    return free[this.#turn % free.length];
  }

  #scaleOut(): void {
    const starting = this.#slots.some(({ process }) => process === undefined || process.state !== 'ready');
    if (!starting && this.#slots.length < this.#context.knobs.maxHttpInstances) {
      this.#context.logs.host(
        'information',
        'Scale',
        `All HTTP instances are busy; instance ${this.#slots.length + 1} starts.`,
      );
      void this.#addSlot().start();
    }
  }

  #removeIdle(): void {
    const { httpInstances, scaleInAfterMs, drainMs } = this.#context.knobs;
    const last = this.#slots.at(-1);
    if (this.#slots.length <= httpInstances || last?.process?.state !== 'ready') return;
    if (last.process.inFlight === 0 && Date.now() - last.process.lastUsedMs > scaleInAfterMs) {
      this.#slots = this.#slots.slice(0, -1);
      void last.stop(drainMs);
    }
  }

  #forget(waiting: Waiting): void {
    if (this.#waiting.includes(waiting)) {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.resolve({ kind: 'lost' });
    }
  }
}
