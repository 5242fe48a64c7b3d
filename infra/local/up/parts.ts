import type { Child } from '../child.ts';

/** What has been started, to be stopped in the opposite order. */
export class Parts {
  readonly failed: Promise<string>;
  readonly #fail: (sentence: string) => void;
  readonly #stops: (() => Promise<unknown>)[] = [];
  readonly #children: Child<unknown>[] = [];
  readonly #starting: Promise<unknown>[] = [];
  #stopping: Promise<void> | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#fail = resolve;
  }

  add<T extends Child<unknown>>(child: T, graceMs: number): T {
    this.#children.push(child);
    this.#stops.push(() => child.stop(graceMs));
    void child.exited.then(
      () =>
        this.#stopping ??
        this.#fail(`${child.name} ended unexpectedly; its last lines, from ${child.logFile}:\n${child.lastLines()}`),
    );
    return child;
  }

  /** What runs beside the others, and may yet add a part: it is waited for before anything is stopped. Its failure is reported where it is awaited. */
  await(starting: Promise<unknown>): void {
    this.#starting.push(starting.catch(() => undefined));
  }

  addStop(stop: () => Promise<unknown>, failed: Promise<string> | undefined): void {
    this.#stops.push(stop);
    void failed?.then((sentence) => this.#stopping ?? this.#fail(sentence));
  }

  pids(): Record<string, number> {
    return Object.fromEntries(this.#children.map((child) => [child.name, child.pid]));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#starting);
    for (const stop of this.#stops.toReversed()) await stop();
  }
}
