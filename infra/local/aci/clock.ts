/** The emulator's time: every timer, back-off, bucket and event stamp runs on one of these. */
export interface Clock {
  readonly kind: 'real' | 'virtual';
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `task` once after `delayMs` (≥ 0); the returned function cancels it and may be called repeatedly. */
  schedule(delayMs: number, task: () => void): () => void;
}

/** Resolves with `true` after `delayMs`, or with `false` as soon as `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve(false);
      return;
    }
    const onAbort = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Wall-clock time. Timers keep the process alive only as long as its servers do. */
export function createRealClock(): Clock {
  return {
    kind: 'real',
    now: () => Date.now(),
    schedule: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** Time that moves only by `advance`: timers fire in order of their due time, then of their making. */
export class VirtualClock implements Clock {
  readonly kind = 'virtual';
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, task: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time by `ms`, letting all promises settle before and after each timer that falls due. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await settle();
    for (let next = this.#earliest(target); next !== undefined; next = this.#earliest(target)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
      await settle();
    }
    this.#now = target;
  }

  #earliest(target: number): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > target) continue;
      if (best === undefined || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer;
    }
    return best;
  }
}

/** One turn of the event loop: every promise that could settle without I/O has settled afterwards. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
