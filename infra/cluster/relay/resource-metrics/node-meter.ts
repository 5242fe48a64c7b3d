import pLimit from 'p-limit';
import type { MeasuredPod } from '../../../../shared/core/resource-metrics/measured-pod.ts';
import type { NodeReading } from '../../../../shared/core/resource-metrics/node-reading.ts';
import { newNodeUsage, nextNodeUsage } from '../../../../shared/core/resource-metrics/node-usage.ts';
import type { PodReading } from '../../../../shared/core/resource-metrics/pod-usage.ts';
import { MeteredPod } from './metered-pod.ts';
import type { MeterClock } from './metered-pod.ts';

export interface NodeMeterOptions {
  readonly node: string;
  readonly clock: MeterClock;
  /** `fetch-stats.ts`. */
  readonly fetch: (address: string) => Promise<PodReading | string>;
}

/** So many pods are asked at once. */
const atOnce = 128;
/** Half of what metrics-server waits for an answer: who has not answered by then is left out of this one. */
const roundMs = 5_000;
/** Whoever asks within this time gets the last answer. */
const freshMs = 5_000;

/** Asks the pods of one node when somebody asks it, and remembers their counters. */
export class NodeMeter {
  readonly #options: NodeMeterOptions;
  readonly #pods = new Map<string, MeteredPod>();
  readonly #limit = pLimit(atOnce);
  readonly #asked = new Set<MeteredPod>();
  #usage;
  #last: { readonly reading: NodeReading; readonly at: number } | undefined;
  #round: Promise<NodeReading> | undefined;
  /** Monotonic ms. */
  #readAt = -Infinity;

  constructor(options: NodeMeterOptions) {
    this.#options = options;
    this.#usage = newNodeUsage(options.clock.wallMs());
  }

  set(pod: MeasuredPod): void {
    const known = this.#pods.get(pod.uid);
    if (known === undefined) this.#pods.set(pod.uid, new MeteredPod(pod, this.#options.clock));
    else known.set(pod);
  }

  remove(uid: string): void {
    this.#pods.delete(uid);
  }

  /** When it was last asked, monotonic ms: nobody need know what nobody asks for. */
  get readAt(): number {
    return this.#readAt;
  }

  get pods(): readonly MeteredPod[] {
    return [...this.#pods.values()];
  }

  find(uid: string): MeteredPod | undefined {
    return this.#pods.get(uid);
  }

  /** What is known of the node now, within five seconds. Who asks meanwhile shares the answer. Never rejects. */
  async read(): Promise<NodeReading> {
    const now = this.#options.clock.monotonicMs();
    this.#readAt = now;
    if (this.#last !== undefined && now - this.#last.at < freshMs) return this.#last.reading;
    this.#round ??= this.#ask().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #ask(): Promise<NodeReading> {
    const { clock } = this.#options;
    const begunAt = clock.monotonicMs();
    await within(Promise.all(this.pods.map((pod) => this.#askPod(pod))), roundMs);
    const pods = this.pods;
    const known = pods.map((pod) => pod.usageSince(begunAt)).filter((usage) => usage !== undefined);
    const hasKnown = known.length > 0 || pods.length === 0;
    if (hasKnown) this.#usage = nextNodeUsage(this.#usage, known, clock.wallMs());
    const reading: NodeReading = {
      node: this.#options.node,
      usage: hasKnown ? this.#usage : undefined,
      pods: known,
      leftOut: pods.length - known.length,
    };
    this.#last = { reading, at: clock.monotonicMs() };
    return reading;
  }

  /** One that still owes the answer to the last question is not asked another. */
  async #askPod(pod: MeteredPod): Promise<void> {
    if (pod.askAt === undefined || this.#asked.has(pod)) return;
    this.#asked.add(pod);
    await this.#limit(async () => {
      const address = pod.askAt;
      if (address !== undefined) pod.answered(await this.#options.fetch(address));
    });
    this.#asked.delete(pod);
  }
}

/** Until the promise, which never rejects, or for so long. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, ms, undefined);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}
