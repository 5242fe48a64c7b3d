/** Answers that are remembered for a while, bounded in number; the oldest go first. Times are monotonic ms. */
export class DecisionCache<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();
  readonly #most: number;
  readonly #monotonic: () => number;

  constructor(most: number, monotonic: () => number = () => performance.now()) {
    this.#most = most;
    this.#monotonic = monotonic;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > this.#monotonic()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: T, forMs: number): void {
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= this.#most && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { value, until: this.#monotonic() + forMs });
  }
}
