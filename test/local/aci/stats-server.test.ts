/** ACI's realtime-metrics, from numbers of control groups to what the relay reads. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { fetchStats } from '../../../infra/cluster/relay/resource-metrics/fetch-stats.ts';
import { defaultNetworkKnobs } from '../../../infra/local/aci/network/knobs.ts';
import type { NetworkKnobs } from '../../../infra/local/aci/network/knobs.ts';
import { parseInterfaces, statsBody } from '../../../infra/local/aci/network/stats-body.ts';
import { StatsServer, answerOf } from '../../../infra/local/aci/network/stats-server.ts';
import { cgroupUsage } from '../../../infra/local/aci/runtime/usage/cgroup.ts';
import { treeUsage } from '../../../infra/local/aci/runtime/usage/process-tree.ts';
import { parseRealtimeStats } from '../../../shared/wire/realtime-stats.ts';

const dir = mkdtempSync(join(tmpdir(), 'stats-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function machine(files: Readonly<Record<string, string>>): { proc: string; cgroups: string } {
  const root = mkdtempSync(join(dir, 'machine-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { proc: join(root, 'proc'), cgroups: join(root, 'cgroup') };
}

describe('what a container uses, by its control groups', () => {
  it('of version 1', async () => {
    const folders = machine({
      'proc/7/cgroup': '9:name=systemd:/x\n4:memory:/libpod/a\n2:cpu,cpuacct:/libpod/a\n0::/\n',
      'cgroup/cpuacct/libpod/a/cpuacct.usage': '123456789\n',
      'cgroup/memory/libpod/a/memory.usage_in_bytes': '5000\n',
      'cgroup/memory/libpod/a/memory.stat': 'rss 1\ntotal_rss 3000\ntotal_inactive_file 1500\n',
    });
    expect(await cgroupUsage(7, folders)).toEqual({
      cpuNanoSeconds: 123_456_789,
      usageBytes: 5000,
      workingSetBytes: 3500,
      rssBytes: 3000,
    });
  });

  it('of version 2', async () => {
    const folders = machine({
      'proc/7/cgroup': '0::/libpod/a\n',
      'cgroup/libpod/a/cpu.stat': 'usage_usec 1500\nuser_usec 1000\n',
      'cgroup/libpod/a/memory.current': '5000\n',
      'cgroup/libpod/a/memory.stat': 'anon 3000\ninactive_file 6000\n',
    });
    expect(await cgroupUsage(7, folders)).toEqual({
      cpuNanoSeconds: 1_500_000,
      usageBytes: 5000,
      workingSetBytes: 0,
      rssBytes: 3000,
    });
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['that is gone', {}],
    ['without one of its own', { 'proc/7/cgroup': '0::/\n' }],
    ['whose files go meanwhile', { 'proc/7/cgroup': '0::/libpod/a\n' }],
  ])('of one %s: nothing', async (_, files) => expect(await cgroupUsage(7, machine(files))).toBeUndefined());

  it('and of plain processes, by their tree', async () => {
    const own = await treeUsage(process.pid);
    expect(own?.cpuNanoSeconds).toBeGreaterThan(0);
    expect(own?.workingSetBytes).toBeGreaterThan(10_000_000);
    expect(await treeUsage(2 ** 22 + 1)).toBeUndefined();
  });
});

const used = (container: string, cpuNanoSeconds: number) => ({
  container,
  run: container,
  startedAt: 0,
  cpuNanoSeconds,
  usageBytes: 30,
  workingSetBytes: 20,
  rssBytes: 10,
});

describe('the extension', () => {
  let server: StatsServer | undefined;
  let knobs: NetworkKnobs = defaultNetworkKnobs;
  afterEach(async () => {
    await server?.close();
    server = undefined;
    knobs = defaultNetworkKnobs;
  });

  async function open(): Promise<number> {
    server = await StatsServer.open('127.0.0.1', () => knobs);
    const usage = async () => [used('app', 1e9), used('log', 2e9)];
    server.set('127.0.0.1', { id: 'web-1234-abcd', pid: process.pid, usage });
    return server.port;
  }

  it('shows the containers, something of the platform beside them, and the network', async () => {
    const read = await fetchStats('127.0.0.1', await open());
    if (typeof read === 'string') throw new Error(read);
    expect(Math.abs(read.atMs - Date.now())).toBeLessThan(5000);
    expect(read.containers.slice(0, 2)).toEqual([
      { name: 'app', cpuNanoSeconds: 1e9, memory: { usageBytes: 30, workingSetBytes: 20, rssBytes: 10 } },
      { name: 'log', cpuNanoSeconds: 2e9, memory: { usageBytes: 30, workingSetBytes: 20, rssBytes: 10 } },
    ]);
    expect(read.network).toBeDefined();
  });

  it('knows nobody else, and nothing else', async () => {
    const port = await open();
    expect((await fetch(`http://127.0.0.1:${port}/v1/other`)).status).toBe(404);
    server?.remove('127.0.0.1');
    expect(await fetchStats('127.0.0.1', port)).toBe('HTTP 404');
  });

  it.each<[NetworkKnobs['realtimeMetrics'][number]['answer'], string]>([
    ['garbage', 'an answer that makes no sense'],
    ['silent', 'no answer'],
    ['slow', 'no answer'],
  ])('by the knob %s: %s', async (answer, why) => {
    knobs = { ...defaultNetworkKnobs, realtimeMetrics: [{ group: 'web-1234', answer }] };
    expect(await fetchStats('127.0.0.1', await open())).toBe(why);
  });

  it('by a knob leaves the first container out', async () => {
    knobs = { ...defaultNetworkKnobs, realtimeMetrics: [{ group: '*', answer: 'without-first' }] };
    const read = await fetchStats('127.0.0.1', await open());
    expect(typeof read === 'string' ? read : read.containers.some(({ name }) => name === 'app')).toBe(false);
  });

  it('each knob is of the groups that it names, and the last counts', () => {
    const realtimeMetrics = [
      { group: '*', answer: 'slow' },
      { group: 'web-1234', answer: 'silent' },
    ] as const;
    expect([answerOf({ realtimeMetrics }, 'web-1234-x'), answerOf({ realtimeMetrics }, 'web-12345-x')]).toEqual([
      'silent',
      'slow',
    ]);
    expect(answerOf(defaultNetworkKnobs, 'web')).toBe('well');
  });

  it('has the sums of all, as one who reads it expects', () => {
    const platform = { cpuNanoSeconds: 1, usageBytes: 1, workingSetBytes: 1, rssBytes: 1 };
    const body = statsBody({ now: 1_795_435_200_123, containers: [used('app', 5)], platform, interfaces: [] });
    expect(JSON.parse(JSON.stringify(body))).toMatchObject({
      cpu: { usageCoreNanoSeconds: 6 },
      memory: { usageBytes: 31, workingSetBytes: 21, rssBytes: 11 },
      containers: [{ name: 'app' }, { name: 'infra' }],
    });
    expect(parseRealtimeStats(JSON.stringify(body))?.atMs).toBe(1_795_435_200_123);
  });

  it('reads what interfaces have carried', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0',
      '  eth0:    5000      10    1    0    0     0          0         0     6000      20    2    0    0     0       0          0',
      '',
    ].join('\n');
    expect(parseInterfaces(text)).toEqual([{ name: 'eth0', rxBytes: 5000, rxErrors: 1, txBytes: 6000, txErrors: 2 }]);
  });
});
