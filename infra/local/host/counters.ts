/** Invocations of one function since the host's start. */
export interface FunctionCounter {
  count: number;
  failures: number;
  totalDurationMs: number;
}

/** Counts invocations by function; lost ones (the worker died) count as failures. */
export class InvocationCounters {
  readonly #byFunction = new Map<string, FunctionCounter>();

  add(name: string, failed: boolean, durationMs: number): void {
    const counter = this.#byFunction.get(name) ?? { count: 0, failures: 0, totalDurationMs: 0 };
    counter.count += 1;
    counter.failures += failed ? 1 : 0;
    counter.totalDurationMs += durationMs;
    this.#byFunction.set(name, counter);
  }

  snapshot(): Record<string, FunctionCounter> {
    return Object.fromEntries([...this.#byFunction].map(([name, counter]) => [name, { ...counter }]));
  }
}
