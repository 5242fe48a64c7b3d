import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import { TerminalSizes } from './terminal-sizes.ts';

/** The last size that a client has said and nobody has taken: of a window that is being dragged only the end matters. */
export class SizeQueue {
  readonly #sizes = new TerminalSizes();
  #last: TerminalSize | undefined;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  push(bytes: Buffer): void {
    this.#last = this.#sizes.read(bytes).at(-1) ?? this.#last;
    if (this.#last !== undefined) this.#notify();
  }

  end(): void {
    this.#hasEnded = true;
    this.#notify();
  }

  /** One reader at a time. */
  async next(): Promise<TerminalSize | undefined> {
    while (this.#last === undefined && !this.#hasEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const size = this.#last;
    this.#last = undefined;
    return size;
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
