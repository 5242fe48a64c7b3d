import { describe, expect, it } from 'vitest';
import { newNodeUsage } from '../../../shared/core/resource-metrics/node-usage.ts';
import type { NodeReading } from '../../../shared/core/resource-metrics/node-reading.ts';
import { prometheusText } from '../../../shared/core/resource-metrics/prometheus-text.ts';
import { resourceText } from '../../../shared/core/resource-metrics/resource-text.ts';
import { summaryOf } from '../../../shared/core/resource-metrics/summary.ts';
import { at, measured, use } from './fixtures.ts';

const full: NodeReading = {
  node: 'aci-1',
  usage: {
    sinceMs: at(-60),
    atMs: at(12),
    cpuNanoSeconds: 12_300_000_000,
    nanoCores: 500_000_000,
    workingSetBytes: 50e6,
  },
  pods: [
    {
      pod: measured(),
      source: 'pod',
      atMs: at(10) + 123,
      containers: [
        { ...use('app', 1.5), startedAt: '2026-11-23T12:00:00Z', atMs: at(10) + 123, nanoCores: 150_000_000 },
      ],
      network: {
        name: 'eth0',
        rxBytes: 1,
        rxErrors: 2,
        txBytes: 3,
        txErrors: 4,
        interfaces: [{ name: 'eth0', rxBytes: 1, rxErrors: 2, txBytes: 3, txErrors: 4 }],
      },
    },
  ],
  leftOut: 0,
};

const lines = (reading: NodeReading): readonly string[] =>
  resourceText(reading)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('/metrics/resource', () => {
  it("has a kubelet's series, each sample with its own time", () => {
    const ms = at(10) + 123;
    expect(lines(full)).toEqual([
      `container_cpu_usage_seconds_total{container="app",pod="web",namespace="default"} 1.5 ${ms}`,
      `container_memory_working_set_bytes{container="app",pod="web",namespace="default"} 50000000 ${ms}`,
      'container_start_time_seconds{container="app",pod="web",namespace="default"} 1795435200',
      `node_cpu_usage_seconds_total 12.3 ${at(12)}`,
      `node_memory_working_set_bytes 50000000 ${at(12)}`,
      `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 1.5 ${ms}`,
      `pod_memory_working_set_bytes{namespace="default",pod="web"} 50000000 ${ms}`,
      'resource_scrape_error 0',
      'scrape_error 0',
    ]);
  });

  it('no value is zero, which would count as absent', () => {
    const [pod] = full.pods;
    if (pod === undefined) throw new Error('one pod');
    const idle = { ...pod, containers: [{ ...use('app', 0, 0), startedAt: '2026-11-23T12:00:00Z', atMs: at(1) }] };
    const values = lines({ ...full, usage: newNodeUsage(at(0)), pods: [idle] }).map((line) =>
      Number(line.replace(/\{.*\}/, '').split(' ')[1]),
    );
    expect(values.slice(0, -2).every((value) => value > 0)).toBe(true);
  });

  it('says when pods are left out, and nothing of a node of whose pods none is known', () => {
    expect(lines({ node: 'aci-1', usage: undefined, pods: [], leftOut: 2 })).toEqual([
      'resource_scrape_error 1',
      'scrape_error 1',
    ]);
  });

  it('labels are escaped, as are helps', () => {
    const text = prometheusText([
      { name: 'a', type: 'gauge', help: 'x\\y\nz', samples: [{ labels: [['l', 'q"\\\n{},=']], value: 1 }] },
      { name: 'none', type: 'counter', help: '', samples: [] },
    ]);
    expect(text).toBe('# HELP a x\\\\y\\nz\n# TYPE a gauge\na{l="q\\"\\\\\\n{},="} 1\n');
  });
});

describe('/stats/summary', () => {
  it('has the shape of v1alpha1, times in whole seconds and counts as whole numbers', () => {
    const memory = { time: '2026-11-23T12:00:10Z', usageBytes: 60e6, workingSetBytes: 50e6, rssBytes: 45e6 };
    const cpu = { time: '2026-11-23T12:00:10Z', usageNanoCores: 150_000_000, usageCoreNanoSeconds: 1_500_000_000 };
    expect(summaryOf(full, false)).toEqual({
      node: {
        nodeName: 'aci-1',
        startTime: '2026-11-23T11:59:00Z',
        cpu: { time: '2026-11-23T12:00:12Z', usageNanoCores: 500_000_000, usageCoreNanoSeconds: 12_300_000_000 },
        memory: { time: '2026-11-23T12:00:12Z', workingSetBytes: 50e6 },
      },
      pods: [
        {
          podRef: { name: 'web', namespace: 'default', uid: 'u-1' },
          startTime: '2026-11-23T11:59:50Z',
          containers: [{ name: 'app', startTime: '2026-11-23T12:00:00Z', cpu, memory }],
          cpu,
          memory,
          network: {
            time: '2026-11-23T12:00:10Z',
            name: 'eth0',
            rxBytes: 1,
            rxErrors: 2,
            txBytes: 3,
            txErrors: 4,
            interfaces: [{ name: 'eth0', rxBytes: 1, rxErrors: 2, txBytes: 3, txErrors: 4 }],
          },
        },
      ],
    });
  });

  it('is without the network where only processor and memory are wanted', () => {
    expect(JSON.stringify(summaryOf(full, true))).not.toContain('network');
  });
});
