import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseHostJson } from '../../../infra/local/host/host-json.ts';
import { logFilter } from '../../../infra/local/host/logs.ts';
import type { LogLevel } from '../../../infra/local/host/protocol.ts';
import { metrics } from '../../../shared/core/telemetry/metrics.ts';

/**
 * What an app with one cluster, one node and no pod sends to Application Insights in 30 days, by arithmetic: the items
 * that the Functions host writes for an invocation and for an instance, less those that host.json filters, times the
 * schedules; and the app's own metrics at their slowest. An item is taken as 1 kB: they are 0.6 to 0.9.
 */
const repository = join(import.meta.dirname, '..', '..', '..');
const hostJson: unknown = JSON.parse(readFileSync(join(repository, 'host.json'), 'utf8'));
const monthSeconds = 30 * 86_400;
const itemBytes = 1000;

/** Invocations in an idle month, by the functions' own schedules; the relay calls where no beat was seen for 20 s. */
const invocations = { 'node-heartbeat': monthSeconds / 15, 'pod-sweep': monthSeconds / 30 };
/** A process for each timer, and one for HTTP. */
const instances = 3;

/** What the host writes for one invocation that succeeds: start, end, its request; and every 30 s an aggregate. */
function itemsOfInvocations(filter: (category: string, level: LogLevel) => boolean): number {
  const each = (name: string): number =>
    [`Function.${name}`, `Function.${name}`, 'Host.Results'].filter((category) => filter(category, 'information'))
      .length;
  const ofRuns = Object.entries(invocations).reduce((sum, [name, count]) => sum + count * each(name), 0);
  const aggregates = filter('Host.Aggregator', 'information') ? (instances * monthSeconds) / 30 : 0;
  return ofRuns + aggregates;
}

const insights = z.object({
  logging: z.object({
    applicationInsights: z.object({
      enableDependencyTracking: z.boolean().default(true),
      enablePerformanceCountersCollection: z.boolean().default(true),
      samplingSettings: z.looseObject({ excludedTypes: z.string().optional() }).default({}),
    }),
  }),
});

/** Of each instance: some ten counters a minute, and every 15 minutes the client library's own sign of life. */
function itemsOfInstances(): number {
  const { enablePerformanceCountersCollection } = insights.parse(hostJson).logging.applicationInsights;
  const counters = enablePerformanceCountersCollection ? (monthSeconds / 60) * 10 : 0;
  return instances * (counters + monthSeconds / 900);
}

/** Series of each steady gauge: phases, budgets, quotas. Those that only change are silent in an idle month. */
const series: Readonly<Record<string, number>> = {
  'serverless_kubelet.pods': 5,
  'serverless_kubelet.arm.budget': 6,
  'serverless_kubelet.quota.used': 2,
  // Each process that beats has one.
  'serverless_kubelet.lease.age': 2,
};

const itemsOfMetrics = (): number =>
  Object.entries(metrics)
    .flatMap(([name, metric]) => ('quiet' in metric ? [{ name, every: metric.quiet.repeatSeconds }] : []))
    .reduce((sum, { name, every }) => sum + ((series[name] ?? 1) * monthSeconds) / every, 0);

const filterOf = (json: unknown): ((category: string, level: LogLevel) => boolean) =>
  logFilter(parseHostJson(json).logLevel);

/** A run that fails is one line of the app's, under 1 kB; before, the host recorded each twice, 23 kB. */
const linesOfFailedRuns = Object.values(invocations).reduce((sum, count) => sum + count, 0);

describe('a month of failing timers', () => {
  it('costs under 300 MB, of 5 GB that are free', () => {
    expect(linesOfFailedRuns * itemBytes).toBeLessThan(300e6);
  });
});

describe('an idle month', () => {
  it('of the host brings no item for a run that succeeds', () => {
    expect(itemsOfInvocations(filterOf(hostJson))).toBe(0);
  });
  it('with the defaults of the host would bring more than a gigabyte', () => {
    const items = itemsOfInvocations(filterOf({ version: '2.0' }));
    expect(items * itemBytes).toBeGreaterThan(1e9);
  });
  it('costs under 100 MB in all', () => {
    const items = itemsOfInvocations(filterOf(hostJson)) + itemsOfInstances() + itemsOfMetrics();
    expect(items * itemBytes).toBeLessThan(100e6);
  });
});

describe('host.json', () => {
  it('lets warnings and errors of the host and of every function’s own lines through, and what the app says of its pods', () => {
    const filter = filterOf(hostJson);
    const functions = ['node-heartbeat', 'pod-sweep', 'pod-events', 'kubelet-api'];
    const loud = ['Host.Startup', 'Worker', 'Azure.Core', ...functions.map((name) => `Function.${name}.User`)];
    expect(loud.filter((category) => !filter(category, 'warning'))).toEqual([]);
    expect(filter('Function.pod-events.User', 'information')).toBe(true);
  });
  it('leaves a failure to the app’s own line: a caller without a token makes the host record nothing', () => {
    const filter = filterOf(hostJson);
    const recorded = ['Function.pod-events', 'Function.pod-events', 'Host.Results', 'Host.Results'];
    expect(recorded.filter((category) => filter(category, 'error'))).toEqual([]);
  });
  it('samples exceptions and requests, and never a line of the app', () => {
    const { samplingSettings } = insights.parse(hostJson).logging.applicationInsights;
    expect(samplingSettings).toMatchObject({ isEnabled: true, includedTypes: 'Exception;Request' });
    expect(samplingSettings.excludedTypes).toBeUndefined();
  });
  it('hands the timers of a killed instance over within half a minute, while its Lease is good for 40 s', () => {
    const { periodMs, pollMs } = parseHostJson(hostJson).lockTimes;
    expect(periodMs + pollMs).toBeLessThanOrEqual(30_000);
  });
  it('ends no invocation before its own deadline has: the longest is 45 s', () => {
    expect(parseHostJson(hostJson).functionTimeoutMs).toBeGreaterThan(2 * 45_000);
  });
  it('does not count each call twice', () => {
    expect(insights.parse(hostJson).logging.applicationInsights.enableDependencyTracking).toBe(false);
  });
});
