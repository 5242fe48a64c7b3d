import type { Deps } from '../../shared/app/deps.ts';
import type { FaultSource } from './faults.ts';
import type { Journal } from './journal.ts';
import { Life } from './process.ts';
import type { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

export interface ProcessParts {
  readonly scheduler: Scheduler;
  readonly faults: FaultSource;
  readonly journal: Journal;
  readonly chance: Chance;
  /** A process's deps, from nothing but the settings. */
  readonly createDeps: (life: Life) => Deps;
}

export type Invocation<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** The process died before it answered, or is not there. */
  | { readonly kind: 'died' };

const mostSkewMs = 120_000;

/** One place of the app (an HTTP instance, a timer): a process, and after its death another one. */
export class Process {
  readonly name: string;
  /** Errors that a use case threw: bugs, all of them. */
  readonly bugs: string[] = [];
  #life: Life | undefined;
  #deps: Deps | undefined;
  #starts = 0;
  #dying: (() => void)[] = [];
  readonly #parts: ProcessParts;

  constructor(name: string, parts: ProcessParts) {
    this.name = name;
    this.#parts = parts;
    this.#start();
  }

  #start(): void {
    const { scheduler, faults, journal, chance } = this.#parts;
    this.#starts += 1;
    const name = `${this.name}/${this.#starts}`;
    this.#life = new Life(name, {
      scheduler,
      faults,
      journal,
      skewMs: chance.between(-mostSkewMs, mostSkewMs),
      monotonicStart: chance.between(0, 1e9),
      onDeath: () => this.#end(),
    });
    this.#deps = this.#parts.createDeps(this.#life);
  }

  #end(): void {
    const { scheduler, journal, chance } = this.#parts;
    journal.note('', `${this.name}/${this.#starts} dies`);
    this.#life = undefined;
    this.#deps = undefined;
    const dying = this.#dying;
    this.#dying = [];
    for (const tell of dying) tell();
    scheduler.in(chance.between(300, 8_000), () => this.#start());
  }

  /** Runs one invocation, ended by its deadline. */
  invoke<T>(deadlineMs: number, run: (deps: Deps, signal: AbortSignal) => Promise<T>): Promise<Invocation<T>> {
    const life = this.#life;
    const deps = this.#deps;
    if (life === undefined || deps === undefined) return Promise.resolve({ kind: 'died' });
    return new Promise((resolve) => {
      const tell = (): void => resolve({ kind: 'died' });
      this.#dying.push(tell);
      const end = (): void => {
        this.#dying = this.#dying.filter((one) => one !== tell);
      };
      const fail = (error: unknown): void => {
        end();
        this.bugs.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
        resolve({ kind: 'died' });
      };
      const answer = (value: T): void => {
        end();
        resolve({ kind: 'answered', value });
      };
      life.whenAwake(() => void run(deps, life.clock.timeout(deadlineMs)).then(answer, fail));
    });
  }
}
