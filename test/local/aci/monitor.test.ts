/** Azure Monitor's metrics of a group, as `Metrics - List` answers them. */
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../../shared/wire/arm/metrics-answer.ts';
import { createBench, groupsPath, scripted } from './harness.ts';
import type { Bench } from './harness.ts';

const version = '2023-10-01';
const load = (millicores: number, memoryBytes: number) => [{ millicores, memoryBytes }];

function ask(bench: Bench, changes: Readonly<Record<string, string>> = {}, name = 'g') {
  const now = bench.clock.now();
  const query = new URLSearchParams({
    metricnames: 'CpuUsage,MemoryUsage',
    timespan: `${new Date(now - 600_000).toISOString()}/${new Date(now).toISOString()}`,
    interval: 'PT1M',
    aggregation: 'Average',
    $filter: "containerName eq '*'",
    top: '60',
    ...changes,
  });
  return bench.request('GET', `${groupsPath}/${name}/providers/Microsoft.Insights/metrics?${query.toString()}`, {
    version,
  });
}

async function running(runs: Parameters<typeof scripted>[1] = load(250, 4e7)): Promise<Bench> {
  const bench = createBench();
  await bench.running('g', scripted('Always', runs));
  return bench;
}

describe("Azure Monitor's metrics", () => {
  it('are averages of whole minutes, two minutes late, by container', async () => {
    const bench = await running();
    await bench.clock.advance(600_000);
    const { status, body } = await ask(bench);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      cost: 9,
      interval: 'PT1M',
      namespace: 'Microsoft.ContainerInstance/containerGroups',
      resourceregion: 'westeurope',
    });
    const [cpu, memory] = body.value;
    expect(cpu).toMatchObject({
      id: `${groupsPath}/g/providers/Microsoft.Insights/metrics/CpuUsage`,
      type: 'Microsoft.Insights/metrics',
      name: { value: 'CpuUsage' },
      unit: 'Count',
      errorCode: 'Success',
      timeseries: [{ metadatavalues: [{ name: { value: 'containername' }, value: 'c' }] }],
    });
    expect(memory).toMatchObject({ name: { value: 'MemoryUsage' }, unit: 'Bytes' });
    const minutes = parseMetrics(body)?.get('c') ?? [];
    // Ten minutes were asked for; of the last two nothing is known, and what is not known has a time and no value.
    expect(minutes.length).toBeGreaterThanOrEqual(7);
    expect(minutes.length).toBeLessThanOrEqual(8);
    for (const { cpuMillicores, memoryBytes } of minutes.slice(1))
      expect([Math.round(cpuMillicores), memoryBytes]).toEqual([250, 4e7]);
    const { data } = JSON.parse(JSON.stringify(cpu?.['timeseries']))[0];
    expect(data.length).toBe(10);
    expect(data.at(-1)).toEqual({ timeStamp: expect.stringMatching(/:00Z$/) });
  });

  it('show nothing of minutes before the start, and go on over a restart', async () => {
    const bench = await running([{ runMs: 200_000, exitCode: 1, millicores: 500 }, { millicores: 100 }]);
    await bench.clock.advance(600_000);
    const minutes = parseMetrics((await ask(bench)).body)?.get('c') ?? [];
    expect(Math.round(minutes[1]?.cpuMillicores ?? 0)).toBe(500);
    expect(Math.round(minutes.at(-1)?.cpuMillicores ?? 0)).toBe(100);
  });

  it('are known later by a knob', async () => {
    const bench = createBench({ knobs: { monitorLagSeconds: 480 } });
    await bench.running('g', scripted('Always', load(250, 4e7)));
    await bench.clock.advance(600_000);
    expect(parseMetrics((await ask(bench)).body)?.get('c')?.length).toBeLessThanOrEqual(2);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['another metric', { metricnames: 'CpuUsage,Nothing' }],
    ['a time that is none', { timespan: 'now' }],
    ['a time that ends before it begins', { timespan: '2026-01-02T00:00:00Z/2026-01-01T00:00:00Z' }],
    ['another dimension', { $filter: "pod eq '*'" }],
  ])('refuse %s by 400 BadRequest', async (_, changes) => {
    const { status, body } = await ask(await running(), changes);
    expect([status, body.error.code]).toEqual([400, 'BadRequest']);
  });

  it("of a group that is not there are ARM's 404", async () => {
    const { status, body } = await ask(await running(), {}, 'none');
    expect([status, body.error.code]).toEqual([404, 'ResourceNotFound']);
  });

  it('cost a read', async () => {
    const bench = await running();
    const { headers } = await ask(bench);
    expect(Number(headers['x-ms-ratelimit-remaining-subscription-reads'])).toBeGreaterThan(0);
  });
});
