import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';
import type { PostOutcome } from '../app/post-outcome.ts';
import { durationBuckets, metricTable } from './metric-table.ts';
import type { MetricName } from './metric-table.ts';

/** What the parts of a relay report as it happens. */
export interface RelayMeter {
  readonly posted: (outcome: PostOutcome['kind'], durationMs: number) => void;
  readonly watchRestarted: (node: string) => void;
  readonly leaseRenewed: (node: string) => void;
  readonly kubeletAnswered: (path: string, code: number) => void;
}

/** What a leader is asked when somebody scrapes. */
export interface LeadingGauges {
  readonly outboxPods: number;
  readonly nodes: readonly { readonly node: string; readonly pods: number; readonly leaseAgeMs: number }[];
}

/** The metrics of one process, in Prometheus' text form. */
export class RelayMetrics implements RelayMeter {
  readonly #registry = new Registry();
  readonly #leading: () => LeadingGauges | undefined;
  readonly #leader = this.#gauge('serverless_kubelet_relay_leader');
  readonly #pods = this.#gauge('serverless_kubelet_relay_pods');
  readonly #leaseAge = this.#gauge('serverless_kubelet_relay_lease_age_seconds');
  readonly #outbox = this.#gauge('serverless_kubelet_relay_outbox_pods');
  readonly #lastSuccess = this.#gauge('serverless_kubelet_relay_app_last_success_timestamp_seconds');
  readonly #memory = this.#gauge('process_resident_memory_bytes');
  readonly #processor = this.#counter('process_cpu_seconds_total');
  readonly #posts = this.#counter('serverless_kubelet_relay_posts_total');
  readonly #renewals = this.#counter('serverless_kubelet_relay_lease_renewals_total');
  readonly #restarts = this.#counter('serverless_kubelet_relay_watch_restarts_total');
  readonly #requests = this.#counter('serverless_kubelet_relay_kubelet_requests_total');
  readonly #durations = new Histogram({
    ...this.#options('serverless_kubelet_relay_post_duration_seconds'),
    buckets: durationBuckets,
  });

  /** `leading` answers undefined while another replica leads. */
  constructor(leading: () => LeadingGauges | undefined, nodes: readonly string[]) {
    this.#leading = leading;
    this.#gauge('process_start_time_seconds').set(Math.round(Date.now() / 1000 - process.uptime()));
    // A series that is there from the start has a rate from the first event on.
    for (const node of nodes) {
      this.#renewals.inc({ node }, 0);
      this.#restarts.inc({ node }, 0);
    }
    for (const result of ['taken', 'refused', 'again']) this.#posts.inc({ result }, 0);
    this.#lastSuccess.remove();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  posted(outcome: PostOutcome['kind'], durationMs: number): void {
    this.#posts.inc({ result: outcome });
    this.#durations.observe(durationMs / 1000);
    if (outcome === 'taken') this.#lastSuccess.set(Date.now() / 1000);
  }

  watchRestarted(node: string): void {
    this.#restarts.inc({ node });
  }

  leaseRenewed(node: string): void {
    this.#renewals.inc({ node });
  }

  kubeletAnswered(path: string, code: number): void {
    this.#requests.inc({ path, code });
  }

  /** All metrics, as they are now. */
  text(): Promise<string> {
    const leading = this.#leading();
    this.#leader.set(leading === undefined ? 0 : 1);
    for (const gauge of [this.#pods, this.#leaseAge]) gauge.reset();
    this.#outbox.remove();
    if (leading !== undefined) this.#outbox.set(leading.outboxPods);
    for (const { node, pods, leaseAgeMs } of leading?.nodes ?? []) {
      this.#pods.set({ node }, pods);
      this.#leaseAge.set({ node }, leaseAgeMs / 1000);
    }
    this.#memory.set(process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    this.#processor.reset();
    this.#processor.inc((user + system) / 1e6);
    return this.#registry.metrics();
  }

  #options(name: MetricName) {
    const { help, labels } = metricTable[name];
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }

  #gauge(name: MetricName): Gauge {
    return new Gauge(this.#options(name));
  }

  #counter(name: MetricName): Counter {
    return new Counter(this.#options(name));
  }
}
