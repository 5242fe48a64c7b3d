import { describe, expect, it } from 'vitest';
import { createMemoryRegistrations } from '../../infra/local/sim/memory-registrations.ts';
import type { ClusterDeps } from '../../shared/app/deps.ts';
import { buildDeps, withClusters } from '../../shared/app/load-deps.ts';
import { createRegisteredClusters, findNode } from '../../shared/app/registered-clusters.ts';
import { answerCaller } from '../../shared/app/run-http.ts';
import { describeFault } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { ClusterRegistration } from '../../shared/wire/settings.ts';
import { formatRegistrations, parseRegistrations } from '../../shared/wire/settings.ts';
import { registration, settingsOf } from '../fixtures/settings.ts';
import { createProcessClock } from '../../infra/local/sim/time/process-clock.ts';
import { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import { createWorld } from './world.ts';

const uidOf = (digit: number): string => `7d5a3c1e-0000-4000-8000-00000000000${digit}`;

function clustersOf(...changes: readonly Record<string, unknown>[]): readonly ClusterRegistration[] {
  const clusters = changes.map((change) => ({ ...registration([{ name: 'aci-1' }]), ...change }));
  const parsed = parseRegistrations(JSON.stringify({ clusters }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.clusters;
}
const [a, b, otherB] = [
  { uid: uidOf(1), name: 'a' },
  { uid: uidOf(2), name: 'b' },
  { uid: uidOf(2), name: 'b', version: 'v1.37.0' },
];

async function open(fixed: readonly ClusterRegistration[] = []) {
  const scheduler = new Scheduler(0);
  const registrations = createMemoryRegistrations();
  const world = await createWorld();
  const [template] = world.deps.clusters.values();
  if (template === undefined) throw new Error('no cluster');
  const composed: string[] = [];
  const warnings: string[] = [];
  let reads = 0;
  const clusters = createRegisteredClusters({
    registrations: {
      ...registrations,
      get: (known, signal) => ((reads += 1), registrations.get(known, signal)),
    },
    fixed,
    compose: (of): ClusterDeps => {
      composed.push(`${of.name} ${of.version}`);
      return { ...template, registration: of };
    },
    hasSetting: (name) => name === 'PROD_TOKEN',
    clock: createProcessClock(scheduler),
    log: {
      info: () => undefined,
      warn: (message, fields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    },
  });
  return {
    world,
    scheduler,
    registrations,
    composed,
    warnings,
    reads: () => reads,
    put: (...changes: readonly Record<string, unknown>[]) =>
      registrations.force(formatRegistrations(clustersOf(...changes))),
    read: async () => found(await clusters.read()),
    readForUnknown: async () => found(await clusters.readForUnknown()),
    confirm: async (uid: string, node = 'aci-1') => {
      const cluster = await clusters.confirmCluster(uid);
      const confirmed = cluster.ok ? findNode(cluster.value, node) : cluster;
      return confirmed.ok ? 'registered' : describeFault(confirmed.fault);
    },
    versionOf: async (uid: string) => {
      const confirmed = await clusters.confirmCluster(uid);
      return confirmed.ok ? confirmed.value.version : describeFault(confirmed.fault);
    },
    names: async () => {
      const read = await clusters.read();
      return read.ok ? [...read.value.values()].map((one) => one.registration.name) : read.fault.kind;
    },
  };
}

function found<T>(read: Result<T>): T {
  if (!read.ok) throw new Error(describeFault(read.fault));
  return read.value;
}

describe('registered clusters', () => {
  it('are none while there is no document, and quiet', async () => {
    const test = await open();
    expect(await test.names()).toEqual([]);
    expect(test.warnings).toEqual([]);
  });

  it('are asked for every 20 seconds, whoever reads, and by the ETag', async () => {
    const test = await open();
    test.put(a);
    const [first, second] = await Promise.all([test.read(), test.read()]);
    expect(first).toBe(second);
    test.scheduler.now = 19_999;
    await test.read();
    expect(test.reads()).toBe(1);
    test.scheduler.now = 20_000;
    expect(await test.read()).toBe(first);
    expect(test.reads()).toBe(2);
    expect(test.composed).toEqual(['a v1.36.3']);
  });

  it('come, change and go with the document; what is the same is not built again', async () => {
    const test = await open();
    test.put(a);
    const before = await test.read();
    test.put(a, b);
    test.scheduler.now += 60_000;
    const grown = await test.read();
    expect([before.size, grown.size]).toEqual([1, 2]);
    expect(grown.get(uidOf(1))).toBe(before.get(uidOf(1)));
    test.put(a, otherB);
    test.scheduler.now += 60_000;
    await test.read();
    expect(test.composed).toEqual(['a v1.36.3', 'b v1.36.3', 'b v1.37.0']);
    test.put(otherB);
    test.scheduler.now += 60_000;
    expect(await test.names()).toEqual(['b']);
    test.registrations.force(undefined);
    test.scheduler.now += 60_000;
    expect(await test.names()).toEqual([]);
    expect(test.warnings).toEqual([]);
  });

  it('of the settings win over those of the document, with a warning', async () => {
    const test = await open(clustersOf({ ...b, name: 'mine' }));
    test.put(a, b);
    expect(await test.names()).toEqual(['mine', 'a']);
    expect(test.warnings).toEqual([
      `cluster is registered twice; the setting CLUSTERS wins {"cluster":"${uidOf(2)}","name":"b"}`,
    ]);
  });

  it('whose token’s setting is missing are reported, without its name', async () => {
    const test = await open();
    test.put({ ...a, auth: { kind: 'token', setting: 'planted-token' } });
    expect(await test.names()).toEqual(['a']);
    expect(test.warnings).toHaveLength(1);
    expect(test.warnings.join()).not.toContain('planted');
  });

  it.each(['denied', 'transient', 'garbage'])(
    'that cannot be read (%s) at first are a fault, each time anew',
    async (how) => {
      const test = await open(clustersOf(a));
      if (how === 'garbage') test.registrations.force('{');
      else test.registrations.fault = { kind: 'denied', code: 'AuthorizationFailure', message: 'no' };
      expect(await test.names()).toBe(how === 'garbage' ? 'rejected' : 'denied');
      test.registrations.fault = undefined;
      test.put(b);
      expect(await test.names()).toEqual(['a', 'b']);
    },
  );

  it.each(['denied', 'garbage'])(
    'that cannot be read (%s) later stay as they were, with a warning each time',
    async (how) => {
      const test = await open();
      test.put(a);
      const before = await test.read();
      if (how === 'garbage') test.registrations.force('{');
      else test.registrations.fault = { kind: 'denied', code: 'AuthorizationFailure', message: 'no' };
      for (let second = 0; second < 150; second += 1) {
        test.scheduler.now += 1_000;
        expect(await test.read()).toBe(before);
      }
      expect(test.warnings).toHaveLength(7);
      expect(test.warnings[0]).toContain('the last good ones are used');
      test.registrations.fault = undefined;
      test.put(b);
      test.scheduler.now += 60_000;
      expect(await test.names()).toEqual(['b']);
    },
  );

  it.each(['draining', 'removed'] as const)('are asked for every ten seconds while a node is %s', async (state) => {
    const test = await open();
    test.put({ ...registration([{ name: 'aci-1', state }]), ...a });
    await test.read();
    test.put(a);
    test.scheduler.now = 9_999;
    await test.read();
    expect(test.reads()).toBe(1);
    test.scheduler.now = 10_000;
    await test.read();
    test.scheduler.now = 29_999;
    await test.read();
    expect(test.reads()).toBe(2);
  });

  it('are asked for at once for a caller of an unknown cluster, twice a second whoever calls', async () => {
    const test = await open();
    test.put(a);
    await test.read();
    test.put(a, b);
    test.scheduler.now = 499;
    await test.readForUnknown();
    expect(test.reads()).toBe(1);
    test.scheduler.now = 500;
    const calls = await Promise.all(Array.from({ length: 20 }, () => test.readForUnknown()));
    expect(calls.map((found) => found.size)).toEqual(calls.map(() => 2));
    test.scheduler.now = 999;
    await test.readForUnknown();
    expect(test.reads()).toBe(2);
    expect(await test.names()).toEqual(['a', 'b']);
  });
});

describe('whether a node is registered', () => {
  const notRegistered = 'NodeNotRegistered: the node is not registered';

  it('is asked anew, whatever is remembered, and what is found is remembered', async () => {
    const test = await open();
    test.put(a);
    await test.read();
    expect(await test.confirm(uidOf(1))).toBe('registered');
    expect(await test.confirm(uidOf(1), 'aci-2')).toBe(notRegistered);
    test.put(b);
    expect(await test.confirm(uidOf(1))).toBe(notRegistered);
    expect(await test.confirm(uidOf(2))).toBe('registered');
    expect(await test.names()).toEqual(['b']);
  });

  it('is asked anew of a whole cluster, too', async () => {
    const test = await open();
    test.put(b);
    await test.read();
    test.put(otherB);
    expect(await test.versionOf(uidOf(2))).toBe('v1.37.0');
    expect(await test.versionOf(uidOf(1))).toBe(notRegistered);
  });

  it('is not reported by a read that was under way before', async () => {
    const test = await open();
    test.put(a);
    const early = test.read();
    const confirmed = Promise.all([test.confirm(uidOf(1)), test.confirm(uidOf(1))]);
    test.put(b);
    await early;
    expect(await confirmed).toEqual([notRegistered, notRegistered]);
    expect(test.reads()).toBe(2);
  });

  it('nobody knows while the document cannot be read, and the last good one stands for the rest', async () => {
    const test = await open();
    test.put(a);
    await test.read();
    test.registrations.fault = { kind: 'transient', message: 'no answer' };
    expect(await test.confirm(uidOf(1))).toBe('no answer');
    expect(await test.names()).toEqual(['a']);
    test.registrations.fault = undefined;
    expect(await test.confirm(uidOf(1))).toBe('registered');
  });

  it('needs no question where the settings name it', async () => {
    const test = await open(clustersOf(a));
    expect(await test.confirm(uidOf(1))).toBe('registered');
    expect(test.reads()).toBe(0);
  });
});

describe('an invocation', () => {
  const unreachable = {
    CLUSTERS: '',
    REGISTRATIONS_URL: 'http://127.0.0.1:1/a/serverless-kubelet/sk.json?sig=planted',
  };

  it('of a process that never read the registrations fails with a sentence that names no SAS', async () => {
    const loaded = await withClusters(await buildDeps(settingsOf([], unreachable)));
    expect(loaded).toEqual({
      ok: false,
      problem: 'registrations',
      message: 'Blob storage could not be reached (ECONNREFUSED)',
    });
    const logged: string[] = [];
    const line = (message: string, fields?: object): void => void logged.push(JSON.stringify({ message, ...fields }));
    const request = { headers: new Headers(), params: {}, query: new URLSearchParams(), text: async () => '' };
    const answer = await answerCaller(
      request,
      { info: line, warn: line },
      { deadlineMs: 1_000, run: async () => ({ status: 200 }), load: async () => loaded },
    );
    expect(answer).toMatchObject({ status: 503, jsonBody: { error: { code: 'RegistrationsUnavailable' } } });
    expect(logged.join()).toContain('registrations could not be read');
    expect(`${JSON.stringify(answer)}${logged.join()}`).not.toMatch(/sig=|planted/);
  });

  it('of a caller whose cluster was registered a moment ago looks again, for whoever shows a token', async () => {
    const test = await open();
    test.put(a);
    await test.read();
    test.scheduler.now = 10_000;
    const { deps, cluster } = test.world;
    const tokenUntil = (atMs: number): string => {
      const claims = { aud: 'serverless-kubelet', exp: Math.floor(atMs / 1000) };
      const token = `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
      const username = 'system:serviceaccount:kube-system:relay';
      cluster.putToken(token, { username, groups: [], audiences: ['serverless-kubelet'] });
      return `Bearer ${token}`;
    };
    const now = deps.clock.wallMs();
    const load = async () => {
      const clusters = await test.read();
      const again = async () => ({ ok: true, deps: { ...deps, clusters: await test.readForUnknown() } }) as const;
      return { ok: true, deps: { ...deps, clusters }, again } as const;
    };
    const quiet = { info: () => undefined, warn: () => undefined };
    const status = async (cluster: string, authorization?: string): Promise<number> => {
      const headers = new Headers(authorization === undefined ? {} : { authorization });
      const request = { headers, params: { cluster }, query: new URLSearchParams(), text: async () => '' };
      const run = async () => ({ status: 200 });
      return (await answerCaller(request, quiet, { deadlineMs: 1_000, run, load })).status;
    };
    test.put(a, b);
    expect(await status(uidOf(2))).toBe(401);
    expect(await status(uidOf(2), 'Bearer a.b.c')).toBe(401);
    expect(await status(uidOf(2), tokenUntil(now - 1_000))).toBe(401);
    expect(test.reads()).toBe(1);
    expect(await status(uidOf(3), tokenUntil(now + 60_000))).toBe(401);
    expect(test.reads()).toBe(2);
    test.put(a, b, { uid: uidOf(3), name: 'c' });
    test.scheduler.now += 500;
    expect(await status(uidOf(3), tokenUntil(now + 60_000))).toBe(200);
    expect(test.reads()).toBe(3);
  });

  it('asks nobody where no blob is named', async () => {
    const built = await buildDeps(settingsOf());
    expect(await withClusters(built)).toBe(built);
  });
});
