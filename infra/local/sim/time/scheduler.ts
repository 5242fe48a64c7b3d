import { EventQueue } from './event-queue.ts';

/** Events that run between two turns of the event loop; each one's promises are all settled before the next. */
const eventsPerTurn = 64;

/** Made once: its stack trace is the dearest part of a time-out. */
const timeIsOver = new DOMException('the time is over', 'TimeoutError');

/**
 * Virtual time: a queue of events, and two ways to let it pass. `run` goes from event to event; between two of them every
 * promise that can settle has settled, so a run depends on nothing but the order of events. Whoever reports a story step by
 * step sets `now` instead.
 */
export class Scheduler {
  #now: number;
  readonly #events = new EventQueue<() => void>();

  constructor(now: number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  /** Time jumps, and what is due by then happens at once, in the order of its times. */
  set now(at: number) {
    this.#now = at;
    for (const fire of this.#events.takeAll(at)) fire();
  }

  /** Calls `fire` at a time; one that has passed is now. */
  at(time: number, fire: () => void): void {
    this.#events.add(Math.max(this.#now, time), fire);
  }

  in(ms: number, fire: () => void): void {
    this.at(this.#now + ms, fire);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.in(ms, resolve));
  }

  /** Aborts after so many ms. */
  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    this.in(ms, () => controller.abort(timeIsOver));
    return controller.signal;
  }

  /** Lets time pass until `end`, event by event. Rejects when an event throws. */
  run(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const one = (): void => {
        if (isOver) return;
        const at = this.#events.nextAt;
        const fire = this.#events.take(end);
        if (fire === undefined) {
          isOver = true;
          this.#now = end;
          resolve();
          return;
        }
        this.#now = at;
        try {
          fire();
        } catch (error) {
          isOver = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      // Node.js empties the queue of microtasks after each immediate; many immediates a turn save the turns.
      const turn = (): void => {
        for (let count = 0; count < eventsPerTurn; count += 1) setImmediate(one);
        setImmediate(() => {
          if (!isOver) turn();
        });
      };
      turn();
    });
  }
}

/** Every promise that can settle without time passing has settled afterwards. */
export const allSettled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
