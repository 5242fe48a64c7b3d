import { describe, expect, it } from 'vitest';
import { openHealthPort } from '../../infra/cluster/relay/health-port.ts';
import { routeName } from '../../infra/cluster/relay/kubelet/routes.ts';
import { metricTable } from '../../infra/cluster/relay/metrics/metric-table.ts';
import type { MetricRow } from '../../infra/cluster/relay/metrics/metric-table.ts';
import { RelayMetrics } from '../../infra/cluster/relay/metrics/relay-metrics.ts';
import type { LeadingGauges } from '../../infra/cluster/relay/metrics/relay-metrics.ts';
import { parseMetrics } from './parse-metrics.ts';

const leading: LeadingGauges = {
  outboxPods: 3,
  nodes: [
    { node: 'aci-1', pods: 12, leaseAgeMs: 4500 },
    { node: 'aci-2', pods: 0, leaseAgeMs: 100 },
  ],
};
const nodes = ['aci-1', 'aci-2'];
const prefix = 'serverless_kubelet_relay_';

describe('the metrics', () => {
  it('of a leader are what happened, and what is', async () => {
    const metrics = new RelayMetrics(() => leading, nodes);
    const before = Date.now() / 1000;
    metrics.posted('again', 300);
    metrics.posted('taken', 80);
    metrics.watchRestarted('aci-1');
    metrics.leaseRenewed('aci-2');
    metrics.kubeletAnswered('containerLogs', 200);
    metrics.kubeletAnswered('containerLogs', 200);
    const { value } = parseMetrics(await metrics.text());
    expect(value('leader')).toBe(1);
    expect([value('pods{node="aci-1"}'), value('pods{node="aci-2"}'), value('outbox_pods')]).toEqual([12, 0, 3]);
    expect(value('lease_age_seconds{node="aci-1"}')).toBe(4.5);
    expect(['taken', 'again', 'refused'].map((result) => value(`posts_total{result="${result}"}`))).toEqual([1, 1, 0]);
    expect(value('post_duration_seconds_bucket{le="0.1"}')).toBe(1);
    expect(value('post_duration_seconds_count')).toBe(2);
    expect(nodes.map((node) => value(`watch_restarts_total{node="${node}"}`))).toEqual([1, 0]);
    expect(nodes.map((node) => value(`lease_renewals_total{node="${node}"}`))).toEqual([0, 1]);
    expect(value('kubelet_requests_total{path="containerLogs",code="200"}')).toBe(2);
    expect(value('app_last_success_timestamp_seconds')).toBeGreaterThanOrEqual(before);
    expect(value('process_resident_memory_bytes', '')).toBeGreaterThan(10e6);
    expect(value('process_cpu_seconds_total', '')).toBeGreaterThan(0);
    expect(Math.abs((value('process_start_time_seconds', '') ?? 0) - before)).toBeLessThan(3600);
  });

  it('of another replica leave out what only the leader knows, and so does one that no longer leads', async () => {
    let now: LeadingGauges | undefined = leading;
    const metrics = new RelayMetrics(() => now, nodes);
    await metrics.text();
    now = undefined;
    const { value, names } = parseMetrics(await metrics.text());
    expect(value('leader')).toBe(0);
    const absent = ['pods', 'lease_age_seconds', 'outbox_pods', 'app_last_success_timestamp_seconds'];
    expect([...names].filter((name) => absent.includes(name.slice(prefix.length)))).toEqual([]);
  });

  it('are those of the table, with its types, words and labels, and no others', async () => {
    const metrics = new RelayMetrics(() => leading, nodes);
    metrics.posted('taken', 1);
    metrics.kubeletAnswered('pods', 401);
    const { types, help, labels } = parseMetrics(await metrics.text());
    const rows: readonly [string, MetricRow][] = Object.entries(metricTable);
    expect(Object.fromEntries(types)).toEqual(Object.fromEntries(rows.map(([name, { type }]) => [name, type])));
    for (const [name, row] of rows) {
      expect(help.get(name)).toBe(row.help);
      expect([...(labels.get(name) ?? [])].filter((label) => label !== 'le').toSorted()).toEqual(row.labels.toSorted());
    }
  });
});

describe("the label of a request to a node's port", () => {
  it.each([
    ['/containerLogs/default/web-0/main?follow=true', 'containerLogs'],
    ['/healthz', 'healthz'],
    ['/pods/', 'pods'],
    ['/exec/default/web-0/main', 'exec'],
    ['/default/web-0', 'other'],
    ['/..%2fpods', 'other'],
    ['', 'other'],
  ])('%j is %s', (url, name) => expect(routeName(url)).toBe(name));
});

describe('the health port', () => {
  it('answers probes and scrapes, and nothing else', async () => {
    let isReady = false;
    const metrics = new RelayMetrics(() => undefined, nodes);
    const server = await openHealthPort(
      { isReady: () => isReady, metrics: { contentType: metrics.contentType, text: () => metrics.text() } },
      { address: '127.0.0.1', port: 0 },
    );
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const statusOf = async (path: string): Promise<number> => (await fetch(url + path)).status;
    expect([await statusOf('/healthz'), await statusOf('/readyz'), await statusOf('/')]).toEqual([200, 503, 404]);
    isReady = true;
    expect(await statusOf('/readyz')).toBe(200);
    const scraped = await fetch(`${url}/metrics`);
    expect(scraped.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(parseMetrics(await scraped.text()).value('leader')).toBe(0);
    server.closeAllConnections();
    server.close();
  });
});
