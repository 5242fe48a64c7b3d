/**
 * The cloud on the Functions host as it runs on Azure, for what the stand-in can only imitate. FUNCTIONS_HOST names the folder
 * of one (or `func`); FUNCTIONS_HOST_CLUSTER=real takes Kubernetes itself, which has Jobs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { allocatePort } from '../../../infra/local/ports.ts';
import { findRealHost } from '../../../infra/local/up/real-host.ts';
import { RealHostControl, realHostOf } from '../../../infra/local/up/real-host-control.ts';
import { until } from '../until.ts';
import {
  NodeWatch,
  askApp,
  createPods,
  exitCodes,
  masterKey,
  megabytesOf,
  podSpec,
  postLarge,
  startRig,
  workerOf,
} from './rig.ts';
import type { Rig } from './rig.ts';

const folder = process.env['FUNCTIONS_HOST'];
const cluster = process.env['FUNCTIONS_HOST_CLUSTER'] ?? 'embedded';
if (folder === undefined)
  console.log(
    'FUNCTIONS_HOST names no Functions host: pods, logs, Jobs, kills, a drain, two instances and large bodies were not tried on the real one',
  );

const ten = (prefix: string, seconds: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`${prefix}-${index}`, `sleep ${seconds}; echo done; exit ${index % 4}`]),
  );
const expectedOf = (scripts: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(scripts).map(([name, script]) => [name, Number(/exit (\d+)$/.exec(script)?.[1])]));

describe.skipIf(folder === undefined)('on the real Functions host', () => {
  let dir = '';
  let rig: Rig;
  const second = async (): Promise<RealHostControl> => {
    const wanted = realHostOf(dir, findRealHost(folder ?? ''));
    const other = await RealHostControl.launch({ ...wanted, name: 'functions-2', port: await allocatePort() });
    onTestFinished(() => other.stop());
    return other;
  };
  const created = async (scripts: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    await createPods(rig, scripts);
    return Object.keys(scripts);
  };
  const watch = (): NodeWatch => {
    const seen = new NodeWatch(rig);
    onTestFinished(() => seen.stop());
    return seen;
  };
  const freezeRelay = (): void => {
    process.kill(rig.relayPid, 'SIGSTOP');
    onTestFinished(() => void process.kill(rig.relayPid, 'SIGCONT'));
  };

  /** While the other is frozen the Lease is renewed: our instance has the timers. */
  const proveHolder = async (other: RealHostControl, seen: NodeWatch): Promise<void> => {
    const pids = [other.pid, workerOf(other.pid)];
    pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    const before = seen.renewals.length;
    try {
      await until(
        'a renewal by ours',
        () => seen.renewals.length,
        (count) => count > before,
        25_000,
      );
    } finally {
      pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
    }
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'real-host-'));
    rig = await startRig(dir, folder ?? '', cluster);
  });
  afterAll(async () => {
    await rig.cloud.stop();
    if (process.env['KEEP_CLOUD'] === undefined) rmSync(dir, { recursive: true, force: true });
  });

  it('pods end with their exit codes, and their logs are read and followed', async () => {
    const scripts = { 'ends-0': 'echo fine; exit 0', 'ends-3': 'echo about to fail; exit 3' };
    await createPods(rig, { ...scripts, talks: 'for i in 1 2 3 4 5; do echo line $i; sleep 1; done; exit 0' });
    expect(await exitCodes(rig, ['ends-0', 'ends-3', 'talks'])).toEqual({ 'ends-0': 0, 'ends-3': 3, talks: 0 });
    const log = (name: string, follow: boolean) =>
      rig.core.readNamespacedPodLog({ namespace: 'default', name, follow });
    expect(await log('ends-3', false)).toBe('about to fail\n');
    expect(await log('talks', true)).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n');
  });

  it.skipIf(cluster === 'embedded')('a Job completes, and one that fails is tried again', async () => {
    const job = (name: string, script: string) =>
      rig.batch.createNamespacedJob({
        namespace: 'default',
        body: { metadata: { name }, spec: { backoffLimit: 1, template: { spec: podSpec(script) } } },
      });
    await Promise.all([job('good', 'echo 3.14; exit 0'), job('bad', 'exit 1')]);
    const counts = async () => {
      const { items } = await rig.batch.listNamespacedJob({ namespace: 'default' });
      return Object.fromEntries(
        items.map(({ metadata, status }) => [metadata?.name, [status?.succeeded ?? 0, status?.failed ?? 0]]),
      );
    };
    const seen = await until('both Jobs end', counts, ({ good, bad }) => good?.[0] === 1 && bad?.[1] === 2, 120_000);
    expect(seen).toEqual({ good: [1, 0], bad: [0, 2] });
  });

  it('a hundred posts of 90 MB without a token cost no memory, and others are answered meanwhile', async () => {
    const { url, pid } = rig.host;
    // As an instance is that has worked before, and rests.
    await exitCodes(rig, await created(ten('before', 1)));
    await postLarge(url, 94_371_840);
    await sleep(3000);
    const idle = megabytesOf(pid);
    let most = idle;
    const sampler = setInterval(() => (most = Math.max(most, megabytesOf(pid))), 100);
    onTestFinished(() => clearInterval(sampler));
    const answers: { readonly status: number; readonly ms: number }[] = [];
    const statuses: string[] = [];
    const posting = Array.from({ length: 10 }, async () => {
      for (let post = 0; post < 10; post += 1) statuses.push(await postLarge(url, 94_371_840));
    });
    const asking = (async () => {
      while (statuses.length < 100) {
        answers.push(await askApp(url));
        await sleep(20);
      }
    })();
    await Promise.all([...posting, asking]);
    const slowest = Math.max(...answers.map(({ ms }) => ms));
    console.log(
      `host and worker: idle ${idle.toFixed(0)} MB, at most ${most.toFixed(0)} MB, after ${megabytesOf(pid).toFixed(0)} MB; ` +
        `${answers.length} others answered, the slowest after ${slowest.toFixed(0)} ms`,
    );
    // Or the connection is cut off before the answer is read; none reached the app, which says 401.
    expect(statuses.filter((status) => status !== '500' && status !== '')).toEqual([]);
    expect(statuses).toContain('500');
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(answers.length).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(2000);
    expect(most - idle).toBeLessThan(50);
  });

  it('a worker that is killed amid ten pods loses none of them', async () => {
    const seen = watch();
    const scripts = ten('worker', 3);
    await createPods(rig, scripts);
    await sleep(2000);
    process.kill(workerOf(rig.host.pid), 'SIGKILL');
    expect(await exitCodes(rig, Object.keys(scripts))).toEqual(expectedOf(scripts));
    expect([...seen.conditions]).toEqual(['True']);
  });

  it('a host that is killed amid ten pods, and started again, loses none of them', async () => {
    const seen = watch();
    const scripts = ten('host', 3);
    await createPods(rig, scripts);
    await sleep(2000);
    await rig.host.kill();
    await rig.host.start();
    expect(await exitCodes(rig, Object.keys(scripts))).toEqual(expectedOf(scripts));
    console.log(`host killed: largest gap of the Lease ${seen.largestGap.toFixed(1)} s`);
    expect([...seen.conditions]).toEqual(['True']);
  });

  it('with the relay frozen and the instance that holds the timers killed, the node stays Ready', async () => {
    // The lock of the host that was killed before has run out by now, and this one has it.
    await sleep(20_000);
    const other = await second();
    const seen = watch();
    freezeRelay();
    await until(
      'a renewal',
      () => seen.renewals.length,
      (count) => count >= 3,
    );
    const withTwo = seen.renewals.slice(1).map((at, index) => (at - (seen.renewals[index] ?? at)) / 1000);
    expect(Math.min(...withTwo)).toBeGreaterThan(10);
    await proveHolder(other, seen);
    await rig.host.kill();
    const killedWith = seen.renewals.length;
    await until(
      'two renewals by the other',
      () => seen.renewals.length,
      (count) => count >= killedWith + 2,
      90_000,
    );
    console.log(`instance killed, relay frozen: largest gap of the Lease ${seen.largestGap.toFixed(1)} s`);
    expect((await askApp(other.url)).status).toBe(401);
    expect([...seen.conditions]).toEqual(['True']);
    expect(seen.largestGap).toBeLessThan(40);
    await rig.host.start();
  });

  it('a drained instance hands the timers over, and serves on', async () => {
    await sleep(20_000);
    const other = await second();
    const seen = watch();
    freezeRelay();
    await until(
      'a renewal',
      () => seen.renewals.length,
      (count) => count >= 2,
    );
    await proveHolder(other, seen);
    const answer = await fetch(`${rig.host.url}/admin/host/drain`, {
      method: 'POST',
      headers: { 'x-functions-key': await masterKey(rig) },
    });
    expect(answer.status).toBe(202);
    const drainedWith = seen.renewals.length;
    await until(
      'two renewals by the other',
      () => seen.renewals.length,
      (count) => count >= drainedWith + 2,
      90_000,
    );
    console.log(`instance drained, relay frozen: largest gap of the Lease ${seen.largestGap.toFixed(1)} s`);
    expect((await askApp(rig.host.url)).status).toBe(401);
    expect([...seen.conditions]).toEqual(['True']);
    expect(seen.largestGap).toBeLessThan(40);
  });
});
