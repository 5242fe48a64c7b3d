import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import type { Deps } from '../../shared/app/deps.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import type { PodKey } from '../../shared/wire/relay-protocol/pod-events.ts';
import type { CountedProcess } from '../../infra/local/sim/processes/counted-process.ts';
import { clusterOf } from '../../infra/local/sim/app-process.ts';
import type { CountedApp } from '../../infra/local/sim/processes/counted-app.ts';

/** What the relay of a life needs of it. */
export interface RelayParts {
  readonly now: () => number;
  /** Changes with every write to the tables. */
  readonly changes: () => number;
  /** When the first row is due; Infinity: none. */
  readonly dueAt: () => number;
  /** The processes that take a post now. */
  readonly able: () => readonly CountedApp[];
  readonly start: (invocation: Promise<unknown>) => void;
}

interface Batch {
  readonly pods: readonly PodKey[];
  readonly postedAt: number;
  /** Who works on it. */
  readonly by: Set<CountedProcess>;
  isAccepted: boolean;
}

const deadlineMs = 18_000;
const debounceMs = 50;
const retryMs = 1_000;
const mostIdleMs = 30_000;

/** The relay as a life of the matrix has it: it loses nothing, and posts to every process at once. */
export class Relay {
  readonly #parts: RelayParts;
  #pods: PodKey[] = [];
  #postAt = Infinity;
  #batches: Batch[] = [];
  #tickedAt = -Infinity;
  #ticks = 0;
  #due = { changes: -1, at: Infinity };

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Nothing is to be posted, and nothing that was posted waits for its answer. */
  get isIdle(): boolean {
    return this.#pods.length === 0 && this.#batches.length === 0;
  }

  get nextAt(): number {
    return Math.min(this.#postAt, this.#tickAt(), ...this.#batches.map(({ postedAt }) => postedAt + deadlineMs));
  }

  hear(pod: Pod): void {
    this.#pods = [...this.#pods.filter(({ uid }) => uid !== pod.metadata.uid), keyOf(pod)];
    this.#postAt = Math.min(this.#postAt, this.#parts.now() + debounceMs);
  }

  /** Does what is due. */
  trigger(): void {
    const now = this.#parts.now();
    this.#repost();
    if (now >= this.#postAt) this.#post();
    if (now >= this.#tickAt()) this.#tick();
  }

  /** To every process at once: a webhook may come twice. */
  #post(): void {
    const pods = this.#pods;
    this.#postAt = Infinity;
    this.#pods = [];
    const able = this.#parts.able();
    const batch: Batch = {
      pods,
      postedAt: this.#parts.now(),
      by: new Set(able.map(({ instance }) => instance)),
      isAccepted: false,
    };
    this.#batches.push(batch);
    for (const process of able) this.#parts.start(this.#postTo(process, batch));
  }

  async #postTo({ instance, deps }: CountedApp, batch: Batch): Promise<void> {
    const outcome = await deliver(deps, 'delta', batch.pods);
    batch.by.delete(instance);
    batch.isAccepted ||= outcome.kind === 'accepted';
  }

  /** What nobody took is posted again, a second later or when the answer does not come. */
  #repost(): void {
    const now = this.#parts.now();
    this.#batches = this.#batches.filter((batch) => {
      if (batch.isAccepted) return false;
      const isOverdue = now >= batch.postedAt + deadlineMs;
      if (!isOverdue && [...batch.by].some(({ state }) => state !== 'dead')) return true;
      const known = new Set(this.#pods.map(({ uid }) => uid));
      this.#pods.push(...batch.pods.filter(({ uid }) => !known.has(uid)));
      this.#postAt = Math.min(this.#postAt, now + retryMs);
      return false;
    });
  }

  /** At most once a second; as soon as a row is due, and once in half a minute anyway. */
  #tickAt(): number {
    const changes = this.#parts.changes();
    if (changes !== this.#due.changes) this.#due = { changes, at: this.#parts.dueAt() };
    return Math.max(this.#tickedAt + 1_000, Math.min(this.#due.at + 1, this.#tickedAt + mostIdleMs));
  }

  /** One after the other takes it: the front's choice. */
  #tick(): void {
    this.#tickedAt = this.#parts.now();
    this.#ticks += 1;
    const able = this.#parts.able();
    const chosen = able[this.#ticks % able.length];
    if (chosen !== undefined) this.#parts.start(deliver(chosen.deps, 'tick', []));
  }
}

function deliver(deps: Deps, kind: 'delta' | 'tick', pods: readonly PodKey[]): ReturnType<typeof handlePodEvents> {
  const signal = deps.clock.timeout(deadlineMs);
  return handlePodEvents(deps, clusterOf(deps), { epoch: 'e', seq: 1, kind, pods: [...pods] }, signal);
}
