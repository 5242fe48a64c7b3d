import { defined } from '../../../../shared/core/defined.ts';
import { mostPostBytes, mostPostPods } from '../../../../shared/wire/relay-protocol/bounds.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';

/** What is to be posted next. A snapshot's last part has the kind, so that the app resyncs once. */
export interface Batch {
  readonly kind: 'delta' | 'snapshot';
  readonly pods: readonly PodKey[];
}

const isEnding = (key: PodKey): boolean => key.deletionTimestamp !== undefined;

const fewestPods = 16;

/** The first of the keys, as many as a post may hold; a single key always does. */
function fitting(keys: readonly PodKey[]): readonly PodKey[] {
  let bytes = 0;
  const end = keys.findIndex((key) => {
    bytes += Buffer.byteLength(JSON.stringify(key)) + 1;
    return bytes > mostPostBytes;
  });
  return end === -1 ? keys : keys.slice(0, end);
}

/**
 * Keys that the app has not yet taken, the newest state of each pod. At least once: a key leaves only when its post was
 * taken, or refused for good. No pod is ever in two posts at once, so that an older state can't overtake a newer one.
 */
export class Outbox {
  readonly #pending = new Map<string, PodKey>();
  readonly #inFlight = new Set<string>();
  #snapshot: 'none' | 'due' | 'in flight' = 'none';

  /** Whether something could be taken now. */
  get isReady(): boolean {
    return this.#free().next().done !== true || this.#isSnapshotDue();
  }

  /** Keys not yet taken by the app, those on their way included. */
  get size(): number {
    return this.#pending.size + this.#inFlight.size;
  }

  /** A newer state takes the place of an unsent older one; what probes found stays until they have found something else. */
  add(key: PodKey): void {
    const readiness = key.readiness ?? this.#pending.get(key.uid)?.readiness;
    this.#pending.set(key.uid, { ...key, ...defined({ readiness }) });
  }

  /** After a list: all keys, and the word that it was one. */
  addSnapshot(keys: readonly PodKey[]): void {
    for (const key of keys) this.add(key);
    this.#snapshot = 'due';
  }

  /**
   * The next batch, or undefined. Pods that are to go come first: they free what others wait for (rule 9 of docs/architecture.md). What
   * waits is spread over so many `lanes`, so that the first of many pods do not wait for the last; at most 500 a
   * batch, and at most 256 KiB: the app's host takes no body over 1 MiB.
   */
  take(lanes: number): Batch | undefined {
    const all = [...this.#free()];
    const free = [...all.filter(isEnding), ...all.filter((key) => !isEnding(key))];
    const size = Math.min(mostPostPods, Math.max(fewestPods, Math.ceil(free.length / Math.max(1, lanes))));
    const pods = fitting(free.slice(0, size));
    for (const { uid } of pods) {
      this.#pending.delete(uid);
      this.#inFlight.add(uid);
    }
    if (this.#isSnapshotDue()) {
      this.#snapshot = 'in flight';
      return { kind: 'snapshot', pods };
    }
    return pods.length === 0 ? undefined : { kind: 'delta', pods };
  }

  /** `again`: was not taken, and is to be posted once more, behind what waits, unless a newer state waits already. */
  settle(batch: Batch, outcome: 'done' | 'again'): void {
    for (const key of batch.pods) {
      this.#inFlight.delete(key.uid);
      if (outcome === 'again' && !this.#pending.has(key.uid)) this.#pending.set(key.uid, key);
    }
    if (batch.kind === 'snapshot' && this.#snapshot === 'in flight')
      this.#snapshot = outcome === 'done' ? 'none' : 'due';
  }

  #isSnapshotDue(): boolean {
    return this.#snapshot === 'due' && this.#pending.size === 0;
  }

  *#free(): Generator<PodKey> {
    for (const [uid, key] of this.#pending) if (!this.#inFlight.has(uid)) yield key;
  }
}
