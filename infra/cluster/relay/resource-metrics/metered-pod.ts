import type { MeasuredPod } from '../../../../shared/core/resource-metrics/measured-pod.ts';
import { integrateMinutes } from '../../../../shared/core/resource-metrics/minute-averages.ts';
import type { MonitorReading } from '../../../../shared/core/resource-metrics/minute-averages.ts';
import { nextPodUsage } from '../../../../shared/core/resource-metrics/pod-usage.ts';
import type { PodReading, PodUsage } from '../../../../shared/core/resource-metrics/pod-usage.ts';

/** Times are of one process: `wallMs` since the epoch, `monotonicMs` since some start. */
export interface MeterClock {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
}

/** After so many failures in a row a pod is asked less often, and Azure Monitor is asked too. */
const patience = 3;
const againMs = { first: 15_000, most: 120_000 };
/** How often Azure Monitor is asked of a pod: it has one figure a minute. */
const monitorEveryMs = 60_000;
/** What is older is not shown; Monitor is one to three minutes late. */
const staleMs = 600_000;
/** So far back it is asked at first. */
const firstWindowMs = 300_000;
const longestWindowMs = 900_000;

/** What is known of one pod, and when who is asked of it. */
export class MeteredPod {
  pod: MeasuredPod;
  readonly #clock: MeterClock;
  #usage: PodUsage | undefined;
  #answeredAt = -Infinity;
  #failures = 0;
  #notBefore = -Infinity;
  #monitoredAt = -Infinity;

  constructor(pod: MeasuredPod, clock: MeterClock) {
    this.pod = pod;
    this.#clock = clock;
  }

  /** The pod as its status has it now. */
  set(pod: MeasuredPod): void {
    const runs = ({ address, containers }: MeasuredPod): string => JSON.stringify([address, containers]);
    if (runs(pod) !== runs(this.pod)) this.#notBefore = -Infinity;
    if (pod.address !== this.pod.address) this.#failures = 0;
    this.pod = pod;
  }

  /** Where to ask it now; undefined: nowhere, or not yet. */
  get askAt(): string | undefined {
    return this.#clock.monotonicMs() >= this.#notBefore ? this.pod.address : undefined;
  }

  /** Takes what its address answered. */
  answered(answer: PodReading | string): void {
    const next =
      typeof answer === 'string' ? answer : nextPodUsage(this.#usage, this.pod, answer, this.#clock.wallMs());
    const now = this.#clock.monotonicMs();
    if (typeof next === 'string') {
      this.#failures += 1;
      const doublings = this.#failures - patience;
      if (doublings >= 0) this.#notBefore = now + Math.min(againMs.most, againMs.first * 2 ** doublings);
      return;
    }
    this.#usage = next;
    this.#answeredAt = now;
    this.#failures = 0;
  }

  /** Takes what Azure Monitor answered. */
  monitored(reading: MonitorReading): void {
    const next = integrateMinutes(this.#usage, this.pod, reading);
    if (typeof next !== 'string') this.#usage = next;
  }

  /** What is known of it: an answer of its address since then, or what Azure Monitor last said. */
  usageSince(monotonicMs: number): PodUsage | undefined {
    const usage = this.#usage;
    if (usage === undefined || this.#isOfOtherRuns(usage)) return undefined;
    if (usage.source === 'pod') return this.#answeredAt >= monotonicMs ? usage : undefined;
    return this.#clock.wallMs() - usage.atMs <= staleMs ? usage : undefined;
  }

  /** From when on Azure Monitor is to be asked; undefined: not of this pod, or not now. */
  get monitorSinceMs(): number | undefined {
    const isDirect = this.pod.address !== undefined && this.#failures < patience;
    if (isDirect || this.#clock.monotonicMs() - this.#monitoredAt < monitorEveryMs) return undefined;
    const now = this.#clock.wallMs();
    const since = this.#usage?.source === 'monitor' ? this.#usage.atMs : now - firstWindowMs;
    return Math.max(since, now - longestWindowMs);
  }

  get monitoredAt(): number {
    return this.#monitoredAt;
  }

  askingMonitor(): void {
    this.#monitoredAt = this.#clock.monotonicMs();
  }

  /** It was not asked after all: the pod is among the first the next time. */
  forgetMonitor(): void {
    this.#monitoredAt = -Infinity;
  }

  #isOfOtherRuns({ containers }: PodUsage): boolean {
    return !this.pod.containers.every(({ name, startedAt }) =>
      containers.some((one) => one.name === name && one.startedAt === startedAt),
    );
  }
}
