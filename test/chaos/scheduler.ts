interface Event {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Events that run between two turns of the event loop; each one's promises are all settled before the next. */
const eventsPerTurn = 64;

/**
 * Virtual time as a queue of events. Between two events every promise that can settle has settled, so a run depends
 * on nothing but the order of events, which is that of their times and then of their making.
 */
export class Scheduler {
  #now: number;
  #orders = 0;
  readonly #heap: Event[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  /** Events so far. */
  get fired(): number {
    return this.#orders - this.#heap.length;
  }

  /** Calls `fire` at a time; one that has passed is now. */
  at(time: number, fire: () => void): void {
    const event = { at: Math.max(this.#now, time), order: this.#orders, fire };
    this.#orders += 1;
    push(this.#heap, event);
  }

  in(ms: number, fire: () => void): void {
    this.at(this.#now + ms, fire);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.in(ms, resolve));
  }

  /** Lets time pass until `end`. Rejects when an event throws. */
  run(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const one = (): void => {
        if (isOver) return;
        const next = this.#heap[0];
        if (next === undefined || next.at > end) {
          isOver = true;
          this.#now = end;
          resolve();
          return;
        }
        pop(this.#heap);
        this.#now = next.at;
        try {
          next.fire();
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

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A binary heap, the earliest event first. */
function push(heap: Event[], event: Event): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(event, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const child = smallerChild(heap, index);
    const below = heap[child];
    if (below === undefined || !isBefore(below, last)) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
}

function smallerChild(heap: readonly Event[], index: number): number {
  const left = heap[2 * index + 1];
  const right = heap[2 * index + 2];
  return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * index + 2 : 2 * index + 1;
}
