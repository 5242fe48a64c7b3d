import type { MeasuredPod } from '../../../../shared/core/resource-metrics/measured-pod.ts';
import { mostMetricsQueries, readingOf } from '../../../../shared/wire/relay-protocol/group-metrics.ts';
import type { MetricsAnswer, MetricsQuery } from '../../../../shared/wire/relay-protocol/group-metrics.ts';
import type { MeteredPod, MeterClock } from './metered-pod.ts';
import { NodeMeter } from './node-meter.ts';
import type { NodeMeterOptions } from './node-meter.ts';

export interface ResourceMeterOptions extends Omit<NodeMeterOptions, 'node'> {
  readonly nodes: readonly string[];
}

/** A pod as the API server has it; without `measured` nothing of it runs. */
export interface WatchedUse {
  readonly key: { readonly uid: string };
  readonly measured: MeasuredPod | undefined;
}

/** A node that nobody asked for so long needs nothing of Azure Monitor. */
const wantedMs = 300_000;

/** What the pods of all nodes use. The leader's alone: counters that two replicas keep would differ. */
export class ResourceMeter {
  readonly #clock: MeterClock;
  readonly #nodes: ReadonlyMap<string, NodeMeter>;
  #monitorNotBefore = -Infinity;
  /** Those of the last questions. */
  #asked: readonly MeteredPod[] = [];

  constructor({ nodes, ...options }: ResourceMeterOptions) {
    this.#clock = options.clock;
    this.#nodes = new Map(nodes.map((node) => [node, new NodeMeter({ ...options, node })]));
  }

  set({ key, measured }: WatchedUse): void {
    if (measured === undefined) this.remove(key.uid);
    else this.#nodes.get(measured.node)?.set(measured);
  }

  remove(uid: string): void {
    for (const node of this.#nodes.values()) node.remove(uid);
  }

  /** The meter of one of the nodes. */
  node(name: string): NodeMeter | undefined {
    return this.#nodes.get(name);
  }

  /**
   * Of which pods the app is to ask Azure Monitor at the next tick: those that nobody else knows, of nodes that somebody
   * asks, who waits longest first. They count as asked for from then on.
   */
  takeQueries(): readonly MetricsQuery[] {
    const now = this.#clock.monotonicMs();
    if (now < this.#monitorNotBefore) return [];
    const asked = [...this.#nodes.values()].filter(({ readAt }) => now - readAt < wantedMs);
    const chosen = asked
      .flatMap(({ pods }) => pods.map((metered) => ({ metered, sinceMs: metered.monitorSinceMs })))
      .toSorted((left, right) => left.metered.monitoredAt - right.metered.monitoredAt)
      .flatMap(({ metered, sinceMs }) => (sinceMs === undefined ? [] : [{ metered, sinceMs: Math.floor(sinceMs) }]))
      .slice(0, mostMetricsQueries);
    this.#asked = chosen.map(({ metered }) => metered);
    return chosen.map(({ metered, sinceMs }) => {
      metered.askingMonitor();
      const { node, namespace, name, uid } = metered.pod;
      return { node, namespace, name, uid, sinceMs };
    });
  }

  /** What the app learnt. */
  take({ pods, retryInMs }: MetricsAnswer): void {
    for (const pod of pods) for (const node of this.#nodes.values()) node.find(pod.uid)?.monitored(readingOf(pod));
    const answered = new Set(pods.map(({ uid }) => uid));
    for (const metered of this.#asked) if (!answered.has(metered.pod.uid)) metered.forgetMonitor();
    this.#asked = [];
    if (retryInMs !== undefined) this.#monitorNotBefore = this.#clock.monotonicMs() + retryInMs;
  }
}
