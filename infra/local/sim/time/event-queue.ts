interface Event<T> {
  readonly at: number;
  readonly order: number;
  readonly value: T;
}

/** What is to happen, the earliest first, and of one time what was added first: a binary heap. */
export class EventQueue<T> {
  #added = 0;
  readonly #heap: Event<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the earliest is due; Infinity when nothing is. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  add(at: number, value: T): void {
    const event = { at, order: this.#added, value };
    this.#added += 1;
    const heap = this.#heap;
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

  /** Takes out the earliest of those that are due by `until`. */
  take(until: number): T | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.at > until) return undefined;
    this.#removeFirst();
    return first.value;
  }

  /** Takes out all that is due by `until`, and what is added meanwhile. */
  *takeAll(until: number): Generator<T> {
    for (let value = this.take(until); value !== undefined; value = this.take(until)) yield value;
  }

  #removeFirst(): void {
    const heap = this.#heap;
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
}

type Place = Pick<Event<unknown>, 'at' | 'order'>;

const isBefore = (a: Place, b: Place): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function smallerChild(heap: readonly Place[], index: number): number {
  const left = heap[2 * index + 1];
  const right = heap[2 * index + 2];
  return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * index + 2 : 2 * index + 1;
}
