import type { Clock } from '../clock.ts';
import type { GroupEntry, GroupStore } from '../group-store.ts';
import { GroupMinutes } from './minutes.ts';
import type { Average } from './minutes.ts';

const everyMs = 15_000;

/** Azure Monitor's eye on the groups: looks at each four times a minute, from the first group on. */
export class Monitor {
  readonly #clock: Clock;
  readonly #store: GroupStore;
  readonly #groups = new Map<string, GroupMinutes>();
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock, store: GroupStore) {
    this.#clock = clock;
    this.#store = store;
  }

  /** Begins, where it has not. */
  begin(): void {
    if (this.#isClosed) return;
    this.#cancel ??= this.#clock.schedule(everyMs, () => void this.#look());
  }

  averages(entry: GroupEntry, fromMs: number, toMs: number): ReadonlyMap<string, readonly Average[]> {
    return this.#groups.get(entry.incarnation)?.averages(fromMs, toMs) ?? new Map();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    const entries = this.#store.all();
    const alive = new Set(entries.map(({ incarnation }) => incarnation));
    for (const incarnation of this.#groups.keys()) if (!alive.has(incarnation)) this.#groups.delete(incarnation);
    await Promise.all(entries.map((entry) => this.#lookAt(entry).catch(() => undefined)));
    this.#cancel = undefined;
    if (entries.length > 0) this.begin();
  }

  async #lookAt({ life, incarnation }: GroupEntry): Promise<void> {
    const usages = (await life?.usage()) ?? [];
    if (usages.length === 0) return;
    const minutes = this.#groups.get(incarnation) ?? new GroupMinutes();
    this.#groups.set(incarnation, minutes);
    minutes.add(usages, this.#clock.now());
  }
}
