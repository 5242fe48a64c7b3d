import { randomUUID } from 'node:crypto';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { Telemetry } from '../../../shared/ports/telemetry.ts';
import type { AppClient } from './app/app-client.ts';
import { AppWatcher } from './app/app-watcher.ts';
import { Poster } from './app/poster.ts';
import { Transitions } from './app/transitions.ts';
import type { Term } from './election/term.ts';
import type { Measures } from './kubelet/metrics-door.ts';
import { LeaseRenewer } from './leases/lease-renewer.ts';
import type { LeadingGauges, RelayMeter } from './metrics/relay-metrics.ts';
import { Reflector } from './pods/reflector.ts';
import { ReadinessProber } from './readiness/prober.ts';
import { runProbe } from './readiness/run-probe.ts';
import { fetchStats } from './resource-metrics/fetch-stats.ts';
import { ResourceMeter } from './resource-metrics/resource-meter.ts';

export interface LeadingOptions {
  readonly client: KubernetesClient;
  readonly app: AppClient;
  readonly nodes: readonly string[];
  readonly term: Term;
  readonly log: Log;
  readonly meter: RelayMeter;
  readonly telemetry: Telemetry;
}

/** What only the leader does: watches, posts and beats, from a list anew and under an epoch of its own. */
export interface Leading {
  /** Whether every node's first list is done. */
  readonly isListed: () => boolean;
  readonly gauges: () => LeadingGauges;
  readonly measures: Measures;
  /** Resolves, never rejects, when nothing of it is left. */
  readonly ended: Promise<void>;
}

/** Begins all that, until `signal` aborts. */
export function startLeading(options: LeadingOptions, signal: AbortSignal): Leading {
  const { client, app, nodes, term, log, meter, telemetry } = options;
  const watcher = new AppWatcher({ client, nodes, log }, signal);
  const resources = new ResourceMeter({ nodes, fetch: fetchStats, clock: processClock });
  const poster: Poster = new Poster({
    app,
    metrics: resources,
    epoch: randomUUID(),
    term,
    hasPods: () => parts.some(({ reflector }) => reflector.size > 0),
    log,
    random: Math.random,
    transitions: new Transitions(telemetry, Math.random),
    onOutcome: (outcome, durationMs) => {
      meter.posted(outcome.kind, durationMs);
      watcher.note(outcome, performance.now());
    },
  });
  const prober = new ReadinessProber({ run: runProbe, onReport: (pod) => poster.onChange(pod), random: Math.random });
  const watchers = [prober, resources];
  const close = (): void => {
    prober.close();
    poster.close();
  };
  signal.addEventListener('abort', close, { once: true });
  const parts = nodes.map((node) => {
    const reflector = new Reflector({ client, node, sink: poster, log, random: Math.random, meter, watchers });
    const isRemoved = (): boolean => poster.isRemoved(node);
    const lease = new LeaseRenewer({ client, node, term, tick: () => poster.tickNow(), isRemoved, log, meter });
    return { node, reflector, lease };
  });
  const running = parts.flatMap(({ reflector, lease }) => [reflector.run(signal), lease.run(signal)]);
  const isListed = (): boolean => parts.every(({ reflector }) => reflector.isListed);
  return {
    isListed,
    measures: {
      meter: resources,
      probeCounts: (node) => prober.counts.filter(({ pod }) => pod.node === node),
      isListed,
    },
    gauges: () => ({
      outboxPods: poster.backlog,
      nodes: parts.map(({ node, reflector, lease }) => ({ node, pods: reflector.size, leaseAgeMs: lease.leaseAgeMs })),
    }),
    ended: Promise.all(running).then(() => undefined),
  };
}

const processClock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
