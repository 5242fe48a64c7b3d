import type { Fault, Result } from '../core/fault.ts';

/** What comes at once is asked for once: in this time. A kubelet keeps what it read for longer. */
const sharedMs = 1_000;

/** Answers of the last second, by what was asked for. */
export class SharedReads<T> {
  readonly #isShared: (fault: Fault) => boolean;
  readonly #reads = new Map<string, { readonly startedAtMs: number; readonly answer: Promise<Result<T>> }>();

  /** `isShared`: a fault is the same for all who ask; else it may be that of whoever asked first: its time was over, or its rights lag. */
  constructor(isShared = (fault: Fault): boolean => fault.kind === 'not-found') {
    this.#isShared = isShared;
  }

  async get(key: string, now: number, read: () => Promise<Result<T>>): Promise<Result<T>> {
    // In the order in which they were asked for.
    for (const [old, { startedAtMs }] of this.#reads) {
      if (now - startedAtMs < sharedMs) break;
      this.#reads.delete(old);
    }
    const found = this.#reads.get(key);
    const answer = found?.answer ?? read();
    if (found === undefined) this.#reads.set(key, { startedAtMs: now, answer });
    const result = await answer;
    if (result.ok || this.#isShared(result.fault)) return result;
    this.#reads.delete(key);
    return found === undefined ? result : read();
  }
}
