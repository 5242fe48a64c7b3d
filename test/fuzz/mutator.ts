import { mutateBytes } from './byte-mutation.ts';
import type { Dice } from './dice.ts';
import { mutateNode, printNode, strangeText, toNode } from './json-mutation.ts';

/**
 * The mutations of one case. Each has a number and dice of its own, so that a case can be played again without some of
 * them: that is how a failure is shrunk.
 */
export class Mutator {
  readonly #dice: Dice;
  readonly #skip: ReadonlySet<number>;
  readonly #done: { readonly number: number; readonly what: string }[] = [];
  #count = 0;

  constructor(dice: Dice, skip: ReadonlySet<number> = new Set()) {
    this.#dice = dice;
    this.#skip = skip;
  }

  /** What was done: `3 body:remove`. */
  get done(): readonly { readonly number: number; readonly what: string }[] {
    return this.#done;
  }

  /** A document as bytes, mutated up to three times in structure, and now and then in its bytes. */
  json(where: string, value: unknown, times = this.#dice.pick([0, 1, 1, 1, 2, 3])): Buffer {
    const root = { node: toNode(value) };
    for (let time = 0; time < times; time += 1) this.step((dice) => `${where}:${mutateNode(root, dice)}`);
    const printed = Buffer.from(printNode(root.node));
    return this.#dice.chance(0.2) ? this.bytes(where, printed) : printed;
  }

  bytes(where: string, bytes: Buffer): Buffer {
    let mutated = bytes;
    this.step((dice) => {
      const result = mutateBytes(bytes, dice);
      mutated = result.bytes;
      return `${where}:bytes-${result.did}`;
    });
    return mutated;
  }

  text(where: string, text: string): string {
    let mutated = text;
    this.step((dice) => {
      mutated = strangeText(dice, text);
      return `${where}:text`;
    });
    return mutated;
  }

  /** Another value in its place, with a name for what was done. */
  swap<T>(where: string, value: T, others: readonly T[]): T {
    let mutated = value;
    this.step((dice) => {
      mutated = dice.pick(others);
      return `${where}:swap`;
    });
    return mutated;
  }

  step(act: (dice: Dice) => string): void {
    this.#count += 1;
    const number = this.#count;
    if (this.#skip.has(number)) return;
    this.#done.push({ number, what: act(this.#dice.fork(number)) });
  }
}
