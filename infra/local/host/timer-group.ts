import type { TimerFunction } from './definitions.ts';
import type { HostContext } from './host-context.ts';
import { invokeOn } from './invoker.ts';
import { ListenerLock } from './listener-lock.ts';
import { SYSTEM_CLOCK, timerInput, TimerListener } from './timer-listener.ts';
import type { TimerSchedule } from './timer-schedule.ts';
import type { InvocationOutcome, LoadOutcome, WorkerProcess } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';

const TIMER_REASON = 'Timer fired at';
const MANUAL_REASON = 'This function was programmatically called via the host APIs.';

/**
 * One timer function and its instance: a process of its own, or one that it shares with all others. The listener lives and
 * dies with that process, and runs while it holds the function's lock.
 */
export class TimerGroup {
  readonly slot: WorkerSlot;
  readonly definition: TimerFunction;
  readonly #context: HostContext;
  readonly #schedule: TimerSchedule;
  readonly #lock: ListenerLock;
  readonly #isShared: boolean;
  #listener: TimerListener | undefined;
  #waiting: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `shared`: the one process of a host that has no other. */
  constructor(
    context: HostContext,
    { definition, schedule }: { readonly definition: TimerFunction; readonly schedule: TimerSchedule },
    shared: WorkerSlot | undefined,
  ) {
    this.#context = context;
    this.definition = definition;
    this.#schedule = schedule;
    this.#lock = lockOf(context, definition.name);
    this.#isShared = shared !== undefined;
    this.slot =
      shared ??
      new WorkerSlot({
        context,
        identity: { name: `timer-${definition.name}`, group: `function:${definition.name}` },
        recoveryMs: context.knobs.timerRecoveryMs,
      });
  }

  /** Resolves when its process has loaded the app or failed to; a shared one has. */
  async start(): Promise<LoadOutcome> {
    const started = this.#isShared ? undefined : this.slot.start();
    this.slot.subscribe({ onReady: (worker) => this.#begin(worker), onGone: (worker) => this.#end(worker) });
    return started ?? { kind: 'ready', functions: [] };
  }

  /** Runs the function now, beside its schedule; `lost` when its process is down. */
  runNow(): Promise<InvocationOutcome> {
    const { process } = this.slot;
    const data = timerInput(this.#context.timerStatus.get(this.definition.name), false);
    return process?.state === 'ready'
      ? invokeOn(this.#context, process, { name: this.definition.name, reason: MANUAL_REASON, data })
      : Promise.resolve({ kind: 'lost' });
  }

  /** Plans no further run and gives the lock back; its process goes on. */
  drain(): void {
    this.#stopped = true;
    clearTimeout(this.#waiting);
    this.#listener?.stop();
    this.#lock.release();
  }

  /** The same, and ends a process of its own gracefully. */
  async stop(drainMs: number): Promise<void> {
    this.drain();
    if (!this.#isShared) await this.slot.stop(drainMs);
  }

  #begin(worker: WorkerProcess): void {
    if (this.#stopped) return;
    const waitMs = this.#lock.waitMs(Date.now());
    if (waitMs > 0) {
      const { name } = this.definition;
      this.#context.logs.host(
        'information',
        'Singleton',
        `The lock of ${name} is held; the next try is in ${waitMs} ms.`,
      );
      this.#waiting = setTimeout(() => this.#begin(worker), waitMs);
      return;
    }
    this.#lock.take(Date.now());
    this.#listener = this.#listen(worker);
    this.#listener.start();
  }

  #end(worker: WorkerProcess): void {
    clearTimeout(this.#waiting);
    this.#listener?.stop();
    if (worker.isInstanceLost) this.#lock.lose(Date.now());
  }

  #listen(worker: WorkerProcess): TimerListener {
    const { definition } = this;
    const context = this.#context;
    return new TimerListener({
      definition,
      schedule: this.#schedule,
      clock: SYSTEM_CLOCK,
      faults: () => context.timerFaults,
      status: context.timerStatus,
      invoke: (data, retryContext) =>
        invokeOn(context, worker, {
          name: definition.name,
          reason: `${TIMER_REASON} ${new Date().toISOString()}`,
          data,
          retryContext,
        }),
    });
  }
}

function lockOf({ listenerLocks, lockTimes }: HostContext, name: string): ListenerLock {
  const found = listenerLocks.get(name) ?? new ListenerLock(lockTimes);
  listenerLocks.set(name, found);
  return found;
}
