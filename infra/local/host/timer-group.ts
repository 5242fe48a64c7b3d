import type { TimerFunction } from './definitions.ts';
import type { HostContext } from './host-context.ts';
import { invokeOn } from './invoker.ts';
import { SYSTEM_CLOCK, timerInput, TimerListener } from './timer-listener.ts';
import type { TimerSchedule } from './timer-schedule.ts';
import type { InvocationOutcome, LoadOutcome } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';

const TIMER_REASON = 'Timer fired at';
const MANUAL_REASON = 'This function was programmatically called via the host APIs.';

/** One timer function with the one process that is its group: the listener lives and dies with that process. */
export class TimerGroup {
  readonly slot: WorkerSlot;
  readonly definition: TimerFunction;
  readonly #context: HostContext;
  #listener: TimerListener | undefined;

  constructor(context: HostContext, definition: TimerFunction, schedule: TimerSchedule) {
    this.#context = context;
    this.definition = definition;
    this.slot = new WorkerSlot({
      context,
      identity: { name: `timer-${definition.name}`, group: `function:${definition.name}` },
      recoveryMs: context.knobs.timerRecoveryMs,
      events: {
        onReady: (worker) => {
          this.#listener = new TimerListener({
            definition,
            schedule,
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
          this.#listener.start();
        },
        onGone: () => this.#listener?.stop(),
      },
    });
  }

  start(): Promise<LoadOutcome> {
    return this.slot.start();
  }

  /** Runs the function now, beside its schedule; `lost` when its process is down. */
  runNow(): Promise<InvocationOutcome> {
    const { process } = this.slot;
    const data = timerInput(this.#context.timerStatus.get(this.definition.name), false);
    return process?.state === 'ready'
      ? invokeOn(this.#context, process, { name: this.definition.name, reason: MANUAL_REASON, data })
      : Promise.resolve({ kind: 'lost' });
  }

  /** Plans no further run and ends the process gracefully. */
  stop(drainMs: number): Promise<void> {
    this.#listener?.stop();
    return this.slot.stop(drainMs);
  }
}
