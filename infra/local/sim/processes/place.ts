import type { Deps } from '../../../../shared/app/deps.ts';
import { TimedProcess } from './timed-process.ts';
import type { TimedProcessParts } from './timed-process.ts';
import type { Chance } from '../time/chance.ts';

export interface PlaceParts extends Pick<TimedProcessParts, 'scheduler' | 'faults' | 'onAnswer'> {
  readonly onDeath: (process: string) => void;
  readonly chance: Chance;
  /** A process's deps, from nothing but the settings. */
  readonly createDeps: (process: TimedProcess) => Deps;
}

export type Invocation<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** The process died before it answered, or is not there. */
  | { readonly kind: 'died' };

const mostSkewMs = 120_000;

/** One place of the app (an HTTP instance, a timer): a process, and after its death another one. */
export class Place {
  readonly name: string;
  /** Errors that a use case threw: bugs, all of them. */
  readonly bugs: string[] = [];
  #process: TimedProcess | undefined;
  #deps: Deps | undefined;
  #starts = 0;
  #dying: (() => void)[] = [];
  readonly #parts: PlaceParts;

  constructor(name: string, parts: PlaceParts) {
    this.name = name;
    this.#parts = parts;
    this.#start();
  }

  #start(): void {
    const { scheduler, faults, onAnswer, chance } = this.#parts;
    this.#starts += 1;
    const name = `${this.name}/${this.#starts}`;
    this.#process = new TimedProcess(name, {
      scheduler,
      faults,
      onAnswer,
      skewMs: chance.between(-mostSkewMs, mostSkewMs),
      monotonicStart: chance.between(0, 1e9),
      onDeath: () => this.#end(),
    });
    this.#deps = this.#parts.createDeps(this.#process);
  }

  #end(): void {
    const { scheduler, onDeath, chance } = this.#parts;
    onDeath(`${this.name}/${this.#starts}`);
    this.#process = undefined;
    this.#deps = undefined;
    const dying = this.#dying;
    this.#dying = [];
    for (const notify of dying) notify();
    scheduler.in(chance.between(300, 8_000), () => this.#start());
  }

  /** Runs one invocation, ended by its deadline. */
  invoke<T>(deadlineMs: number, run: (deps: Deps, signal: AbortSignal) => Promise<T>): Promise<Invocation<T>> {
    const process = this.#process;
    const deps = this.#deps;
    if (process === undefined || deps === undefined) return Promise.resolve({ kind: 'died' });
    return new Promise((resolve) => {
      const notify = (): void => resolve({ kind: 'died' });
      this.#dying.push(notify);
      const end = (): void => {
        this.#dying = this.#dying.filter((one) => one !== notify);
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
      process.whenAwake(() => void run(deps, process.clock.timeout(deadlineMs)).then(answer, fail));
    });
  }
}
