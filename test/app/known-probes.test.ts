import { describe, expect, it } from 'vitest';
import { createProcessClock } from '../../infra/local/sim/time/process-clock.ts';
import { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import { createKnownProbes } from '../../shared/app/known-probes.ts';
import { probedClusters } from '../../shared/app/probed-clusters.ts';
import { buildDeps, withClusters } from '../../shared/app/load-deps.ts';
import type { Finding } from '../../shared/core/agent/assumptions.ts';
import type { ProbeRecord } from '../../shared/wire/probe-record.ts';
import { createMemoryProbeRecords } from '../fixtures/probe-records.ts';
import { settingsOf } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';

const record = (region: string, findings: readonly Finding[] = []): ProbeRecord => ({
  region,
  subnet: null,
  sku: 'Standard',
  at: '2026-11-30T10:00:00.000Z',
  findings,
});
const failing = record('westeurope', [{ id: 'hosts-shared', outcome: 'fails', detail: 'the line was not there' }]);

function open(probes: readonly ProbeRecord[] = []) {
  const scheduler = new Scheduler(0);
  const records = createMemoryProbeRecords(probes);
  const said: string[] = [];
  const log = (level: string) => (message: string, fields?: object) =>
    void said.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const known = createKnownProbes({
    records,
    region: 'westeurope',
    clock: createProcessClock(scheduler),
    log: { info: log('info'), warn: log('warn') },
  });
  return { scheduler, records, said, read: () => known.read() };
}

describe('what probes have found, as the app knows it', () => {
  it('is that of its region, asked for once in five minutes, whoever reads', async () => {
    const test = open([failing, record('northeurope')]);
    const [one, other] = await Promise.all([test.read(), test.read()]);
    expect(one).toEqual([failing]);
    expect(other).toBe(one);
    test.scheduler.now = 299_999;
    await test.read();
    expect(test.records.reads).toBe(1);
    test.scheduler.now = 300_000;
    expect(await test.read()).toBe(one);
    expect(test.records.reads).toBe(2);
    expect(test.said).toEqual([
      'info pods are judged by what was probed: Standard in no subnet: hosts-shared fails {"region":"westeurope"}',
    ]);
  });

  it('is nothing at first, which is said once, and then what was probed', async () => {
    const test = open();
    expect(await test.read()).toEqual([]);
    test.scheduler.now += 300_000;
    await test.read();
    test.records.probes = [failing];
    test.scheduler.now += 300_000;
    expect(await test.read()).toEqual([failing]);
    expect(test.said.map((line) => line.slice(0, 38))).toEqual([
      'info nothing was probed in the region ',
      'info pods are judged by what was probe',
    ]);
  });

  it('that can’t be read changes nothing, and is logged once until it can be again', async () => {
    const test = open([failing]);
    const later = async () => {
      test.scheduler.now += 300_000;
      return test.read();
    };
    const before = await test.read();
    test.records.fault = { kind: 'rejected', code: 'ProbesInvalid', message: 'something else' };
    expect([await later(), await later()]).toEqual([before, before]);
    expect(test.said.filter((line) => line.startsWith('warn'))).toEqual([
      'warn what probes have measured could not be read, and is taken to be as it was {"fault":"ProbesInvalid: something else"}',
    ]);
    test.records.fault = undefined;
    test.records.probes = [];
    expect(await later()).toEqual([]);
  });

  it('and could never be read is nothing', async () => {
    const test = open([failing]);
    test.records.fault = { kind: 'denied', code: 'AuthorizationFailure', message: 'no right' };
    expect(await test.read()).toEqual([]);
    expect(test.said).toHaveLength(1);
  });
});

describe('an invocation', () => {
  it('knows it by the facts of its nodes, whose clients stay what they are', async () => {
    const { clusters } = (await createWorld()).deps;
    expect(probedClusters(clusters, [])).toBe(clusters);
    const [before] = clusters.values();
    const [after] = probedClusters(clusters, [failing]).values();
    const [node, probed] = [before, after].map((cluster) => cluster?.nodes.get('aci-1'));
    expect(probed).toEqual({ ...node, facts: { ...node?.facts, probes: [failing] } });
    expect([probed?.api, after?.api]).toEqual([node?.api, before?.api]);
  });

  it('is not kept from its work where they can’t be read', async () => {
    const built = await buildDeps(settingsOf(undefined, { REGISTRATIONS_URL: 'http://127.0.0.1:9/c/prod.json?sig=x' }));
    if (!built.ok) throw new Error(built.message);
    const [cluster] = built.deps.clusters.values();
    const registered = {
      read: () => Promise.resolve({ ok: true as const, value: built.deps.clusters }),
      readForUnknown: () => Promise.resolve({ ok: true as const, value: built.deps.clusters }),
      confirmCluster: () => Promise.reject(new Error('not asked')),
    };
    const loaded = await withClusters({ ...built, registered });
    expect(loaded.ok && [...loaded.deps.clusters.values()]).toEqual([cluster]);
    const probes = { read: () => Promise.resolve([failing]) };
    const known = await withClusters({ ...built, registered, probes });
    const again = known.ok ? await known.again?.() : undefined;
    for (const one of [known, again])
      expect(one?.ok === true && [...one.deps.clusters.values()][0]?.nodes.get('aci-1')?.facts.probes).toEqual([
        failing,
      ]);
  });
});
