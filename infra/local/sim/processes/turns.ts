import { random } from '../time/chance.ts';
import type { CountedProcess } from './counted-process.ts';

/** Two processes work side by side: each call waits for its turn, and the seed says whose comes next. */
export class Turns {
  readonly #random: () => number;
  #waiting: { readonly instance: CountedProcess; readonly go: () => void }[] = [];

  constructor(seed: number) {
    this.#random = random(seed);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Until it is this process's turn. */
  wait(instance: CountedProcess): Promise<void> {
    return new Promise((go) => void this.#waiting.push({ instance, go }));
  }

  /** Whose call is made next; undefined: nobody waits who could go on. */
  take(): (() => void) | undefined {
    const able = this.#waiting.filter(({ instance }) => instance.state === 'alive');
    this.#waiting = this.#waiting.filter(({ instance }) => instance.state !== 'dead');
    const next = able[Math.floor(this.#random() * able.length)];
    this.#waiting = this.#waiting.filter((one) => one !== next);
    return next?.go;
  }
}
