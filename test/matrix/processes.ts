import { EventQueue } from '../../infra/local/sim/time/event-queue.ts';
import { allSettled } from '../../infra/local/sim/time/scheduler.ts';
import type { LateRequest } from '../../infra/local/sim/oracles/window.ts';
import type { LogFields } from '../../shared/ports/log.ts';
import type { World } from '../app/world.ts';
import type { CallFault } from '../../infra/local/sim/processes/counted-process.ts';
import type { Faults } from './fault.ts';
import { CountedProcess, lateByMs } from '../../infra/local/sim/processes/counted-process.ts';
import type { Call, Stage } from '../../infra/local/sim/processes/counted-process.ts';
import { createCountedApp } from '../../infra/local/sim/processes/counted-app.ts';
import type { CountedApp } from '../../infra/local/sim/processes/counted-app.ts';
import { Turns } from '../../infra/local/sim/processes/turns.ts';

export interface ProcessesOptions {
  readonly world: World;
  readonly faults: Faults;
  /** With it two processes work at the same time, and the order of their calls is drawn from it. */
  readonly seed: number | undefined;
  readonly budgets: boolean;
  readonly onCall: (call: Call) => void;
  readonly onLog: (message: string, fields: LogFields | undefined) => void;
}

/** One request and its answer. Two processes work side by side: their calls take no longer together than one after the other. */
const latencyMs = 5;

/** The processes of one life, and what befalls them: who is killed has an heir, who is frozen goes on. */
export class Processes {
  /** When the last fault was over. */
  lastFaultAt = -Infinity;
  faultsMet = 0;
  /** Requests that arrived late. */
  readonly late: LateRequest[] = [];
  readonly #all: CountedApp[] = [];
  readonly #options: ProcessesOptions;
  readonly #turns: Turns | undefined;
  /** What happens only when every call that can be made has been made: who was frozen goes on, and what was late arrives. */
  readonly #atRest = new EventQueue<() => Promise<void>>();
  #hasThawed = false;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    this.#turns = options.seed === undefined ? undefined : new Turns(options.seed);
    this.#add(0);
    if (this.#turns !== undefined) this.#add(1);
  }

  /** No call waits for its turn, nobody is frozen, and nothing is still to arrive. */
  get isIdle(): boolean {
    return this.#atRest.size === 0 && this.#turns?.isEmpty !== false;
  }

  /** When somebody goes on, or something arrives. */
  get nextAt(): number {
    return this.#atRest.nextAt;
  }

  /** Who takes work now. */
  able(): readonly CountedApp[] {
    const isWaiting = this.#options.faults.isAlone === true && !this.#hasThawed;
    return this.#all.filter(({ instance }, place) => instance.state === 'alive' && !(isWaiting && place === 0));
  }

  /** Lets one of the waiting calls be made; false when none waits. */
  release(): boolean {
    const go = this.#turns?.take();
    if (go === undefined) return false;
    this.#options.world.now += latencyMs;
    go();
    return true;
  }

  /** Those whose time has come go on, and what is late arrives. */
  async wake(): Promise<void> {
    for (const act of this.#atRest.takeAll(this.#now)) await act();
  }

  get #now(): number {
    return this.#options.world.now;
  }

  #add(place: 0 | 1, heir = 0): void {
    const { world, budgets, faults, onCall, onLog } = this.#options;
    const fault = place === 0 ? faults.kill : faults.freeze;
    const stage: Stage = {
      turn: (instance) => this.#turn(instance),
      freeze: (instance, ms) => this.#freeze(instance, ms),
      later: (ms, act) => this.#later(ms, act),
      onCall,
      onFault: (call) => this.#onFault(call, place, fault),
    };
    const instance = new CountedProcess(`${'ab'[place]}${heir}`, stage, heir > 0 ? undefined : fault);
    const deps = createCountedApp(world, instance, { seed: 100 + place * 10 + heir, budgets, log: onLog });
    this.#all[place] = { instance, deps };
  }

  #onFault(call: Call, place: 0 | 1, fault: CallFault | undefined): void {
    this.faultsMet += 1;
    this.lastFaultAt = this.#now;
    if (fault?.moment === 'inside') {
      const ms = lateByMs(fault);
      this.late.push({ name: call.name, ms, at: this.#now + ms });
    }
    // A process that died is followed by another; what it was working on is lost.
    if (fault?.kind === 'kill') this.#add(place, 1);
  }

  #turn(instance: CountedProcess): Promise<void> {
    if (instance.state === 'dead') return new Promise(() => undefined);
    if (this.#turns !== undefined) return this.#turns.wait(instance);
    this.#options.world.now += latencyMs;
    return Promise.resolve();
  }

  #freeze(instance: CountedProcess, ms: number): Promise<void> {
    instance.state = 'frozen';
    return new Promise((go) =>
      this.#atRest.add(this.#now + ms, () => {
        instance.state = 'alive';
        this.#hasThawed = true;
        this.lastFaultAt = this.#now;
        go();
        // It comes to its next call before anybody asks whether all is at rest.
        return allSettled();
      }),
    );
  }

  #later(ms: number, act: () => Promise<void>): void {
    this.#atRest.add(this.#now + ms, async () => {
      await act();
      this.lastFaultAt = this.#now;
    });
  }
}
