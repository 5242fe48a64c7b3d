import type { TimerFunction } from './definitions.ts';
import type { RetryContext, TypedData } from './protocol.ts';
import { firstRun, runAfter } from './timer-schedule.ts';
import type { PlannedRun, TimerFaults, TimerSchedule, TimerStatus } from './timer-schedule.ts';
import type { InvocationOutcome } from './worker-process.ts';

/** Time as the listener sees it; tests give a virtual one. */
export interface TimerClock {
  nowMs(): number;
  /** Calls back after the time; the answer cancels. */
  after(ms: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: TimerClock = {
  nowMs: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Long waits are cut in pieces that a timer can hold. */
const MAX_WAIT_MS = 2 ** 31 - 1;

export interface TimerListenerOptions {
  readonly definition: TimerFunction;
  readonly schedule: TimerSchedule;
  readonly clock: TimerClock;
  /** Read at every tick, so that faults can be turned on and off. */
  readonly faults: () => TimerFaults;
  readonly status: Map<string, TimerStatus>;
  readonly invoke: (data: TypedData, retryContext: RetryContext | undefined) => Promise<InvocationOutcome>;
}

/**
 * The listener of one timer function while its worker lives. Runs never overlap; a failed run does not stop the schedule;
 * a retry policy repeats the run within it.
 */
export class TimerListener {
  readonly #options: TimerListenerOptions;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #ticks = 0;

  constructor(options: TimerListenerOptions) {
    this.#options = options;
  }

  get #monitored(): boolean {
    return this.#options.definition.useMonitor && this.#options.schedule.monitored;
  }

  start(): void {
    const { definition, schedule, clock, status } = this.#options;
    const { useMonitor, runOnStartup } = definition;
    this.#plan(
      firstRun({ schedule, useMonitor, runOnStartup, status: status.get(definition.name), nowMs: clock.nowMs() }),
    );
  }

  /** Plans no further run; one that is on its way ends by itself. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #plan(run: PlannedRun | undefined): void {
    if (run === undefined || this.#stopped) return;
    const { clock, faults } = this.#options;
    const waitMs = run.atMs + (faults().lateMs ?? 0) - clock.nowMs();
    this.#cancel = clock.after(Math.max(0, Math.min(waitMs, MAX_WAIT_MS)), () => {
      // A timer may fire a little early, and a long wait comes in pieces.
      if (clock.nowMs() < run.atMs) this.#plan(run);
      else void this.#tick(run);
    });
  }

  async #tick(run: PlannedRun): Promise<void> {
    const { schedule, clock, faults } = this.#options;
    const startedMs = clock.nowMs();
    const { missEvery } = faults();
    this.#ticks += 1;
    if (missEvery === undefined || this.#ticks % missEvery !== 0) await this.#run(run.isPastDue);
    this.#remember(startedMs);
    this.#plan(runAfter(schedule, { startedMs, endedMs: clock.nowMs() }));
  }

  async #run(isPastDue: boolean): Promise<void> {
    const { definition, clock, invoke } = this.#options;
    const data = this.#input(isPastDue);
    let retryContext: RetryContext | undefined;
    for (let retry = 1; ; retry += 1) {
      const outcome = await invoke(data, retryContext);
      const { retry: policy } = definition;
      if (outcome.kind !== 'failed' || policy === undefined || retry > policy.maxRetryCount || this.#stopped) return;
      retryContext = {
        retryCount: retry,
        maxRetryCount: Number.isFinite(policy.maxRetryCount) ? policy.maxRetryCount : -1,
        exception: { ...outcome.failure, source: '' },
      };
      await new Promise<void>((resolve) => {
        this.#cancel = clock.after(policy.delayMs(retry), resolve);
      });
    }
  }

  #input(isPastDue: boolean): TypedData {
    const status = this.#monitored ? this.#options.status.get(this.#options.definition.name) : undefined;
    return timerInput(status, isPastDue);
  }

  #remember(startedMs: number): void {
    const { definition, schedule, clock, status } = this.#options;
    const nextMs = schedule.nextAfter(startedMs);
    if (this.#monitored && nextMs !== undefined)
      status.set(definition.name, { lastMs: startedMs, nextMs, lastUpdatedMs: clock.nowMs() });
  }
}

/** The trigger's input as the host writes it; the library camel-cases it. */
export function timerInput(status: TimerStatus | undefined, isPastDue: boolean): TypedData {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const ScheduleStatus =
    status === undefined
      ? null
      : { Last: iso(status.lastMs), Next: iso(status.nextMs), LastUpdated: iso(status.lastUpdatedMs) };
  return { json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus, IsPastDue: isPastDue }) };
}
