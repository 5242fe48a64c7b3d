import type { NodeReading } from './node-reading.ts';
import { podTotals } from './pod-usage.ts';
import type { ContainerUsage, PodUsage } from './pod-usage.ts';
import { prometheusText } from './prometheus-text.ts';
import type { MetricFamily, Sample } from './prometheus-text.ts';

/** A zero counts as absent to metrics-server, and would take the whole pod or node with it. */
const leastNanoSeconds = 1_000_000;
const leastBytes = 1;

const seconds = (nanoSeconds: number): number => Math.max(nanoSeconds, leastNanoSeconds) / 1e9;
const bytes = (value: number): number => Math.max(value, leastBytes);

/** In the order in which virtual-kubelet's own tests look for the pod: second. */
const containerLabels = ({ pod }: PodUsage, { name }: ContainerUsage): Sample['labels'] => [
  ['container', name],
  ['pod', pod.name],
  ['namespace', pod.namespace],
];

const podLabels = ({ pod }: PodUsage): Sample['labels'] => [
  ['namespace', pod.namespace],
  ['pod', pod.name],
];

/** What a kubelet shows at `/metrics/resource`: names, units and help as there, each sample with its own time. */
export function resourceText(reading: NodeReading): string {
  const { pods, leftOut } = reading;
  const each = pods.flatMap((pod) => pod.containers.map((container) => ({ pod, container })));
  const containers = (value: (container: ContainerUsage) => number): readonly Sample[] =>
    each.map(({ pod, container }) => ({
      labels: containerLabels(pod, container),
      value: value(container),
      atMs: container.atMs,
    }));
  const starts = each.map(({ pod, container }) => ({
    labels: containerLabels(pod, container),
    value: Date.parse(container.startedAt) / 1000,
  }));
  const whole = (value: (totals: ReturnType<typeof podTotals>) => number): readonly Sample[] =>
    pods.map((pod) => ({ labels: podLabels(pod), value: value(podTotals(pod)), atMs: pod.atMs }));
  const hasFault = [{ labels: [], value: leftOut > 0 ? 1 : 0 }];
  return prometheusText([
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      containers(({ cpuNanoSeconds }) => seconds(cpuNanoSeconds)),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      containers(({ memory }) => bytes(memory.workingSetBytes)),
    ),
    gauge('container_start_time_seconds', 'Start time of the container since unix epoch in seconds', starts),
    ...nodeFamilies(reading),
    counter(
      'pod_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the pod in core-seconds',
      whole(({ cpuNanoSeconds }) => seconds(cpuNanoSeconds)),
    ),
    gauge(
      'pod_memory_working_set_bytes',
      'Current working set of the pod in bytes',
      whole(({ memory }) => bytes(memory.workingSetBytes)),
    ),
    gauge('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', hasFault),
    gauge('scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', hasFault),
  ]);
}

function nodeFamilies({ usage }: NodeReading): readonly MetricFamily[] {
  if (usage === undefined) return [];
  const { atMs, cpuNanoSeconds, workingSetBytes } = usage;
  return [
    counter('node_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the node in core-seconds', [
      { labels: [], value: seconds(cpuNanoSeconds), atMs },
    ]),
    gauge('node_memory_working_set_bytes', 'Current working set of the node in bytes', [
      { labels: [], value: bytes(workingSetBytes), atMs },
    ]),
  ];
}

const counter = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name,
  type: 'counter',
  help,
  samples,
});

const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name,
  type: 'gauge',
  help,
  samples,
});
