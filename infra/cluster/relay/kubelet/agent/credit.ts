/** What may still be sent to the other side, in bytes: it grants more as it takes what came. */
export class Credit {
  readonly #most: number;
  #left: number;
  #isClosed = false;
  #wake: (() => void) | undefined;

  /** `most`: what is granted at first, and what there is at most. */
  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Nobody wants any more of it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  grant(bytes: number): void {
    this.#left = Math.min(this.#most, this.#left + bytes);
    this.#wake?.();
  }

  /** Lets go of who waits. Safe to repeat. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** Sends the bytes in pieces of at most `mostPiece`, as credit allows, one after the other; false: it is closed. */
  async spend(bytes: Uint8Array, mostPiece: number, send: (piece: Uint8Array) => Promise<void>): Promise<boolean> {
    for (let at = 0; at < bytes.length;) {
      await this.#whenSome();
      if (this.#isClosed) return false;
      const piece = bytes.subarray(at, at + Math.min(this.#left, mostPiece));
      this.#left -= piece.length;
      at += piece.length;
      await send(piece);
    }
    return !this.#isClosed;
  }

  async #whenSome(): Promise<void> {
    while (this.#left === 0 && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
