import { clusterOf } from '../../infra/local/sim/app-process.ts';
import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { postFaults } from '../../infra/local/sim/faults/vocabulary.ts';
import type { PostFault } from '../../infra/local/sim/faults/vocabulary.ts';
import { Outbox } from '../../infra/cluster/relay/app/outbox.ts';
import type { Batch } from '../../infra/cluster/relay/app/outbox.ts';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import type { PodEventsOutcome } from '../../shared/app/handle-pod-events.ts';
import { backoffMs } from '../../shared/core/backoff/backoff.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import type { PodEvents, PodKey } from '../../shared/wire/relay-protocol/pod-events.ts';
import type { FaultSource } from './faults.ts';
import type { Invocation, Place } from '../../infra/local/sim/processes/place.ts';
import type { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

export interface RelayParts {
  readonly scheduler: Scheduler;
  readonly faults: FaultSource;
  readonly chance: Chance;
  readonly rate: number;
  readonly instances: readonly [Place, ...Place[]];
  /** What a relist shows. */
  readonly listPods: () => readonly Pod[];
}

const lanes = 4;
const deadlineMs = 18_000;
const answerWithinMs = 25_000;
const idleMs = 30_000;
const debounceMs = 50;
const retry = { baseMs: 1_000, maxMs: 15_000 };

type Outcome = Invocation<PodEventsOutcome> | 'no-answer';

/** The relay as the app meets it: the real outbox, over a watch and a network that lose, double, delay and reorder. */
export class ChaosRelay {
  readonly #parts: RelayParts;
  readonly #outbox = new Outbox();
  #seq = 0;
  #busyLanes = 0;
  #failures = 0;
  #isWatching = true;
  #isWaking = false;
  #tickAt = Infinity;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#planTick(0);
  }

  /** An event of the watch. */
  onChange(pod: Pod): void {
    if (!this.#isWatching || pod.spec.nodeName === '') return;
    this.#outbox.add(keyOf(pod));
    this.#wakeIn(debounceMs);
  }

  /** The watch is broken for a while; its events are lost until the relist. */
  breakWatch(forMs: number): void {
    const { scheduler, faults, listPods } = this.#parts;
    faults.count('relay: watch broken');
    this.#isWatching = false;
    scheduler.in(forMs, () => {
      this.#isWatching = true;
      const bound = listPods().filter((pod) => pod.spec.nodeName !== '');
      this.#outbox.addSnapshot(bound.map(keyOf));
      this.#wakeIn(debounceMs);
    });
  }

  #wakeIn(ms: number): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    this.#parts.scheduler.in(ms, () => {
      this.#isWaking = false;
      this.#fillLanes();
    });
  }

  #fillLanes(): void {
    const open = this.#failures === 0 ? lanes : 1;
    while (this.#busyLanes < open) {
      const batch = this.#outbox.take(open - this.#busyLanes);
      if (batch === undefined) return;
      this.#busyLanes += 1;
      void this.#postBatch(batch);
    }
  }

  async #postBatch(batch: Batch): Promise<void> {
    const outcome = await this.#post(batch.kind, batch.pods);
    this.#busyLanes -= 1;
    const isTaken = this.#isTaken(outcome);
    this.#outbox.settle(batch, isTaken ? 'done' : 'again');
    this.#learn(outcome, isTaken);
    if (this.#outbox.isReady) this.#wakeIn(isTaken ? 0 : this.#retryMs());
  }

  async #tick(): Promise<void> {
    const outcome = await this.#send('tick', []);
    const isTaken = this.#isTaken(outcome);
    this.#learn(outcome, isTaken);
    this.#planTick(isTaken ? idleMs : this.#retryMs());
  }

  #planTick(inMs: number): void {
    const { scheduler } = this.#parts;
    const at = scheduler.now + inMs;
    if (at >= this.#tickAt) return;
    this.#tickAt = at;
    scheduler.at(at, () => {
      if (this.#tickAt !== at) return;
      this.#tickAt = Infinity;
      void this.#tick();
    });
  }

  /** What the network makes of a post. */
  async #post(kind: PodEvents['kind'], pods: readonly PodKey[]): Promise<Outcome | 'lost'> {
    const { chance, faults, rate } = this.#parts;
    if (faults.isOver || !chance.isHit(rate)) return this.#send(kind, pods);
    const fate = chance.pick(postFaults);
    faults.count(`webhook: ${fate}`);
    return this.#befall(fate, kind, pods);
  }

  async #befall(fate: PostFault, kind: PodEvents['kind'], pods: readonly PodKey[]): Promise<Outcome | 'lost'> {
    const { chance, scheduler } = this.#parts;
    switch (fate) {
      case 'dropped':
        return 'lost';
      case 'doubled':
        void this.#send(kind, pods);
        return this.#send(kind, pods);
      case 'delayed':
        await scheduler.sleep(chance.between(1_000, 30_000));
        return this.#send(kind, pods);
      case 'reordered':
        void scheduler.sleep(chance.between(1_000, 30_000)).then(() => this.#send(kind, pods.toReversed()));
        return this.#send(kind, pods);
      case 'answer lost':
        await this.#send(kind, pods);
        return 'no-answer';
    }
  }

  #send(kind: PodEvents['kind'], pods: readonly PodKey[]): Promise<Outcome> {
    const { chance, instances, scheduler } = this.#parts;
    this.#seq += 1;
    const events: PodEvents = { epoch: 'chaos', seq: this.#seq, kind, pods: [...pods] };
    const instance = chance.pick(instances);
    return new Promise((resolve) => {
      scheduler.in(answerWithinMs, () => resolve('no-answer'));
      scheduler.in(chance.between(5, 40), () => {
        void instance
          .invoke(deadlineMs, async (deps, signal) => handlePodEvents(deps, clusterOf(deps), events, signal))
          .then((answer) => scheduler.in(chance.between(5, 40), () => resolve(answer)));
      });
    });
  }

  #isTaken(outcome: Outcome | 'lost'): boolean {
    if (outcome === 'lost') return true;
    return outcome !== 'no-answer' && outcome.kind === 'answered' && outcome.value.kind === 'accepted';
  }

  #learn(outcome: Outcome | 'lost', isTaken: boolean): void {
    this.#failures = isTaken ? 0 : this.#failures + 1;
    if (outcome === 'lost' || outcome === 'no-answer' || outcome.kind === 'died') return;
    const { value } = outcome;
    if (value.kind === 'accepted') this.#planTick(value.answer.nextTickInMs);
  }

  #retryMs(): number {
    return backoffMs(retry, this.#failures, this.#parts.chance.next());
  }
}
