/** Times of the lock that lets one instance at a time run a timer, as host.json's `singleton` has them. */
export interface LockTimes {
  /** How long a lock lasts that nobody renews. */
  readonly periodMs: number;
  /** How often an instance that did not get it tries again. */
  readonly pollMs: number;
}

/**
 * The lease of one timer function (a blob's, on Azure). Its holder renews it at half of its period; who crashes leaves it
 * to run out, who ends in order gives it back. The next instance tries when it starts, and then at each poll: that is how
 * long a timer is frozen.
 */
export class ListenerLock {
  readonly #times: LockTimes;
  /** When it was last taken; undefined while nobody holds it. */
  #takenAtMs: number | undefined;
  #freeFromMs = 0;

  constructor(times: LockTimes) {
    this.#times = times;
  }

  /** Milliseconds until an instance that starts now has it: 0 when it is free. */
  waitMs(nowMs: number): number {
    const left = this.#freeFromMs - nowMs;
    const { pollMs } = this.#times;
    return left <= 0 ? 0 : Math.ceil(left / Math.max(1, pollMs)) * pollMs;
  }

  take(nowMs: number): void {
    this.#takenAtMs = nowMs;
  }

  /** The holder ended in order. */
  release(): void {
    this.#takenAtMs = undefined;
    this.#freeFromMs = 0;
  }

  /** The holder died; one that only waited changes nothing. */
  lose(nowMs: number): void {
    if (this.#takenAtMs === undefined) return;
    const { periodMs } = this.#times;
    const sinceRenewalMs = periodMs === 0 ? 0 : (nowMs - this.#takenAtMs) % (periodMs / 2);
    this.#takenAtMs = undefined;
    this.#freeFromMs = nowMs - sinceRenewalMs + periodMs;
  }
}
