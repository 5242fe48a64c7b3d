/**
 * Bytes between one that writes and one that reads. Its writer is to wait for room: what is beyond the limit is held all the
 * same, so that nothing is lost that has been read already.
 */
export class ByteQueue {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #hasEnded = false;
  #isDropping = false;
  /** Who waits for bytes, and who for room. */
  #reader: (() => void) | undefined;
  readonly #writers: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit && !this.#isDropping;
  }

  push(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#isDropping || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    this.#wakeReader();
  }

  /** Nothing follows; what is there can still be read. */
  end(): void {
    this.#hasEnded = true;
    this.#wakeReader();
  }

  /** Nobody reads any more: what is there and what comes is dropped, and nobody waits. */
  drop(): void {
    this.#isDropping = true;
    this.#chunks = [];
    this.#size = 0;
    this.end();
    this.#wakeWriters();
  }

  /** Resolves when there is room, or nobody reads. */
  async whenRoom(): Promise<void> {
    while (this.isFull) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#writers.push(resolve);
      await promise;
    }
  }

  /** All that is there, as soon as there is something; undefined at the end. One reader at a time. */
  async read(): Promise<Buffer | undefined> {
    while (this.#size === 0 && !this.#hasEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#reader = resolve;
      await promise;
    }
    if (this.#size === 0) return undefined;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#size = 0;
    this.#wakeWriters();
    return bytes;
  }

  #wakeReader(): void {
    this.#reader?.();
    this.#reader = undefined;
  }

  #wakeWriters(): void {
    for (const wake of this.#writers.splice(0)) wake();
  }
}
