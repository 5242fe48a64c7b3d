import { createProcessClock } from '../time/process-clock.ts';
import { fail } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { Clock } from '../../../../shared/ports/clock.ts';
import type { Call, Plan } from '../faults/request-plan.ts';
import type { ProcessFault } from '../faults/vocabulary.ts';
import type { Scheduler } from '../time/scheduler.ts';

/** Who says what goes wrong: asked in the order of calls. */
export interface FaultPlanner {
  /** What becomes of this request. */
  readonly plan: (call: Call, process: string) => Plan;
  /** What happens to the process itself around it; `inside` is no moment of it. */
  readonly fate: () => ProcessFault | undefined;
  /** For how long it is frozen. */
  readonly freezeMs: () => number;
}

export interface TimedProcessParts {
  readonly scheduler: Scheduler;
  readonly faults: FaultPlanner;
  /** Called with each answer as the process hears it. */
  readonly onAnswer: (process: string, call: Call, plan: Plan, result: Result<unknown>) => void;
  /** How far this process's own clock is off. */
  readonly skewMs: number;
  /** What its monotonic clock showed at its start. */
  readonly monotonicStart: number;
  readonly onDeath: () => void;
}

/** Requests that change a group and would do harm when they land after their caller's term. */
const harmfulWhenLate: ReadonlySet<string> = new Set(['arm.stop', 'arm.delete']);
/** How late the network may still deliver such a request: the lock's own margin (architecture.md, "The window that remains"). */
const latestMs = 1_900;
/** The Table client's own limit of a request. */
const tableTimeoutMs = 5_000;
const quickMs = 300;

/**
 * One process of the app from its start to its death. Every request passes `call`: it takes time on the way there and
 * back, may be lost in either direction, and what a dead process had sent still arrives.
 */
export class TimedProcess {
  readonly name: string;
  readonly clock: Clock;
  isAlive = true;
  #frozenUntil = 0;
  readonly #parts: TimedProcessParts;

  constructor(name: string, parts: TimedProcessParts) {
    this.name = name;
    this.#parts = parts;
    const { scheduler, skewMs, monotonicStart } = parts;
    this.clock = createProcessClock(scheduler, {
      skewMs,
      monotonicStart,
      sleep: (ms) => new Promise((resolve) => scheduler.in(ms, () => this.whenAwake(resolve))),
    });
  }

  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#parts.onDeath();
  }

  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#parts.scheduler.now + ms);
  }

  /** Calls `go` when the process runs; never when it is dead by then. */
  whenAwake(go: () => void): void {
    if (!this.isAlive) return;
    if (this.#frozenUntil <= this.#parts.scheduler.now) go();
    else this.#parts.scheduler.at(this.#frozenUntil, () => this.whenAwake(go));
  }

  /** One request; `act` is what the server does with it. */
  call<T>(call: Call, signal: AbortSignal | undefined, act: (plan: Plan) => Promise<Result<T>>): Promise<Result<T>> {
    const { faults, scheduler } = this.#parts;
    if (!this.isAlive) return never();
    if (signal?.aborted === true) return Promise.resolve(timedOut);
    const fate = faults.fate();
    if (fate?.kind === 'kill' && fate.moment === 'before') {
      this.die();
      return never();
    }
    const plan = faults.plan(call, this.name);
    const answer = new Answer<T>(signal, plan, scheduler);
    scheduler.in(plan.outMs, () => void this.#land(call, plan, { answer, act, fate }));
    return new Promise((resolve) => {
      answer.onSettled = (result) =>
        this.whenAwake(() => {
          this.#parts.onAnswer(this.name, call, plan, result);
          resolve(result);
        });
    });
  }

  async #land<T>(
    call: Call,
    plan: Plan,
    {
      answer,
      act,
      fate,
    }: { answer: Answer<T>; act: (plan: Plan) => Promise<Result<T>>; fate: ProcessFault | undefined },
  ): Promise<void> {
    const { scheduler, faults } = this.#parts;
    const isTooLate = harmfulWhenLate.has(`${call.port}.${call.method}`) && answer.givenUpForMs > latestMs;
    const result = plan.hasEffect && !isTooLate ? await act(plan) : timedOut;
    if (fate?.kind === 'kill') this.die();
    if (fate?.kind === 'freeze') this.freeze(faults.freezeMs());
    if (plan.hangs === true) return;
    scheduler.in(plan.backMs, () => answer.settle(plan.answer === undefined ? result : fail(plan.answer)));
  }
}

/** What the caller hears: the first of the answer, its signal's end, and for tables the client's own limit. */
class Answer<T> {
  onSettled: (result: Result<T>) => void = () => undefined;
  #isSettled = false;
  #givenUpAt: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #scheduler: Scheduler;
  readonly #giveUp = (): void => {
    this.#givenUpAt = this.#scheduler.now;
    this.settle(timedOut);
  };

  constructor(signal: AbortSignal | undefined, plan: Plan, scheduler: Scheduler) {
    this.#signal = signal;
    this.#scheduler = scheduler;
    if (plan.hangs !== true && plan.outMs + plan.backMs < quickMs) return;
    if (signal === undefined) scheduler.in(tableTimeoutMs, this.#giveUp);
    else signal.addEventListener('abort', this.#giveUp, { once: true });
  }

  /** For how long nobody has waited any more. */
  get givenUpForMs(): number {
    return this.#givenUpAt === undefined ? 0 : this.#scheduler.now - this.#givenUpAt;
  }

  settle(result: Result<T>): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#signal?.removeEventListener('abort', this.#giveUp);
    this.onSettled(this.#signal?.aborted === true ? timedOut : result);
  }
}

const timedOut = fail({ kind: 'transient', message: 'the request timed out' });

/** What a dead process waits for. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
