import { random } from '../../infra/local/sim/time/chance.ts';

/** All chance of one case. Forks are independent, so that leaving out one mutation does not change the others. */
export class Dice {
  readonly #next: () => number;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = random(seed);
  }

  /** The dice of one case of a target. */
  static of(target: string, seed: number, index: number): Dice {
    return new Dice(mix(mix(textHash(target), seed), index));
  }

  fork(name: string | number): Dice {
    return new Dice(mix(this.#seed, typeof name === 'number' ? name + 1 : textHash(name)));
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#next();
  }

  /** In [0, below). */
  below(below: number): number {
    return Math.floor(this.#next() * below);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined && list.length === 0) throw new Error('nothing to pick from');
    return found as T;
  }

  /** One of the keys, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries<number>(weights);
    let left = this.#next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key as K;
    }
    return entries.at(-1)?.[0] as K;
  }
}

const mix = (a: number, b: number): number => {
  let mixed = Math.imul(a ^ (b + 0x9e3779b9 + (a << 6) + (a >>> 2)), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) | 0;
};

function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash | 0;
}
