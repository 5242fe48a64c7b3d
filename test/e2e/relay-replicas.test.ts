/** Two replicas of the relay on a real API server: who leads, who takes over, and what is posted meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectlOutput } from '../../infra/local/cluster/kubectl.ts';
import { until } from '../relay/fake-app.ts';
import { parseMetrics } from '../relay/parse-metrics.ts';
import { RelayRig, healthOf, node, nodes, otherNode, pod, running } from './relay-rig.ts';
import type { RunningRelay } from './relay-rig.ts';

const lease = { namespace: 'serverless-kubelet', name: 'relay' };
/** Each replica has an address of its own, as a pod has. */
const addresses: Readonly<Record<string, string>> = { a: '127.0.0.1', b: '127.0.0.2' };

let rig: RelayRig;
const relays = new Map<string, RunningRelay>();
let renewing: NodeJS.Timeout;

async function start(name: string): Promise<RunningRelay> {
  const config = { leaderElection: lease, listenAddress: addresses[name] };
  const relay = await rig.startRelay({ name, config });
  relays.set(name, relay);
  return relay;
}

async function metricsOf(name: string) {
  const relay = relays.get(name);
  if (relay === undefined) throw new Error(`no replica ${name}`);
  return parseMetrics(await (await healthOf(relay, '/metrics')).text());
}

const isLeading = async (name: string): Promise<boolean> => (await metricsOf(name)).value('leader') === 1;
const specOf = async () =>
  JSON.parse(await rig.get('lease', '-n', lease.namespace, lease.name, '-o', 'jsonpath={.spec}'));

/** The Lease and the right to it, as the chart makes them. */
const leaseObjects = () => {
  const { namespace } = lease;
  const apiGroup = 'rbac.authorization.k8s.io';
  const names = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [lease.name] };
  return [
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...lease, labels: { chart: 'yes' } }, spec: {} },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: 'Role',
      metadata: { namespace, name: 'relay-leader' },
      rules: [{ ...names, verbs: ['get', 'update', 'patch'] }],
    },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { namespace, name: 'relay-leader' },
      roleRef: { apiGroup, kind: 'Role', name: 'relay-leader' },
      subjects: [{ kind: 'ServiceAccount', name: rig.attached.relayServiceAccount, namespace }],
    },
  ];
};

/** Makes pods, each in a request of its own, until it is asked to stop. */
function burst(prefix: string) {
  const stop = new AbortController();
  const names: string[] = [];
  const made = (async () => {
    while (!stop.signal.aborted) {
      const some = Array.from({ length: 5 }, (_, index) => `${prefix}-${names.length + index}`);
      await rig.apply(...some.map((name, index) => pod(name, nodes[index % 2])));
      names.push(...some);
    }
  })();
  return {
    end: async (): Promise<readonly string[]> => {
      stop.abort();
      await made;
      return names;
    },
  };
}

/** Posts in the order in which the app took them; once another replica has posted, the first never does again. */
function handovers(): readonly string[] {
  const epochs = rig.app.posts.map(({ epoch }) => epoch);
  return epochs.filter((epoch, index) => epoch !== epochs[index - 1]);
}

beforeAll(async () => {
  rig = await RelayRig.start();
  await rig.apply(pod('early'));
  // The app of this test: without it the third renewal path would act, and post ticks.
  renewing = setInterval(
    () => void Promise.all(nodes.map((name) => rig.renewLease(name))).catch(() => undefined),
    5000,
  );
});

afterAll(async () => {
  clearInterval(renewing);
  for (const relay of relays.values()) {
    relay.kill('SIGCONT');
    await relay.stop(5000);
  }
  await rig?.close();
});

describe('two replicas', () => {
  it('do nothing without the Lease, and say so; they serve all the same', async () => {
    const relay = await start('a');
    await until('the line', () => relay.lastLines().includes('the Lease of the election'));
    expect(await isLeading('a')).toBe(false);
    await sleep(500);
    expect(rig.app.posts).toEqual([]);
  });

  it('agree on one, which takes the Lease as client-go does, and leaves the labels of the chart', async () => {
    await rig.apply(...leaseObjects());
    await until('a leads', () => isLeading('a'));
    await until('its snapshot', () => rig.app.posts.some(({ kind }) => kind === 'snapshot'));
    await start('b');
    await sleep(2500);
    expect([await isLeading('a'), await isLeading('b')]).toEqual([true, false]);
    expect(handovers()).toHaveLength(1);
    const spec = await specOf();
    expect(spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 1 });
    expect(spec.holderIdentity).toMatch(/^[^_]+_[0-9a-f-]{36}_[0-9a-f.:]+$/);
    expect(spec.renewTime).toMatch(/\.\d{6}Z$/);
    expect(Date.parse(spec.renewTime)).toBeGreaterThan(Date.parse(spec.acquireTime));
    expect(await rig.get('lease', '-n', lease.namespace, lease.name, '-o', 'jsonpath={.metadata.labels.chart}')).toBe(
      'yes',
    );
  });

  it('both serve kubectl logs', async () => {
    await rig.patchStatus('early', running());
    rig.app.logs = () => ({ status: 200, body: '2026-11-23T11:00:00.000000000Z hello\n' });
    for (const [name, address] of Object.entries(addresses)) {
      await rig.moveNode(node, address);
      expect(await kubectlOutput(['logs', 'early'], rig.cluster.kubectl)).toBe('hello\n');
      expect((await metricsOf(name)).value('kubelet_requests_total{path="containerLogs",code="200"}')).toBe(1);
    }
    expect((await metricsOf('a')).value(`pods{node="${node}"}`)).toBe(1);
    expect((await metricsOf('b')).value(`pods{node="${node}"}`)).toBeUndefined();
  });

  it('the leader is killed amid a burst: the other leads when its term is over, and every pod is posted by it', async () => {
    const making = burst('killed');
    await sleep(2000);
    relays.get('a')?.kill('SIGKILL');
    relays.delete('a');
    const before = rig.app.posts.length;
    // A term of 15 s, and up to 2 s until the next try.
    await until('b leads', () => isLeading('b'), 30_000);
    const names = await making.end();
    const uids = JSON.parse(await rig.get('pods', '-o', 'json')).items.map(
      ({ metadata }: { metadata: { uid: string } }) => metadata.uid,
    );
    expect(uids).toHaveLength(names.length + 1);
    const posted = () => new Set(rig.app.posts.slice(before).flatMap(({ pods }) => pods.map(({ uid }) => uid)));
    await until('every pod', () => uids.every((uid: string) => posted().has(uid)));
    expect(rig.app.posts.slice(before).some(({ kind }) => kind === 'snapshot')).toBe(true);
    expect(handovers()).toHaveLength(2);
    expect(rig.app.overlapping).toEqual([]);
    expect((await specOf()).leaseTransitions).toBe(2);
  });

  it('the leader is frozen for longer than its term: it posts nothing when it goes on', async () => {
    await start('a');
    expect(await isLeading('a')).toBe(false);
    const making = burst('frozen');
    await sleep(1000);
    relays.get('b')?.kill('SIGSTOP');
    await until('a leads', () => isLeading('a'), 30_000);
    await until('its snapshot', () => handovers().length === 3);
    relays.get('b')?.kill('SIGCONT');
    await sleep(3000);
    await making.end();
    expect([await isLeading('a'), await isLeading('b')]).toEqual([true, false]);
    expect(handovers()).toHaveLength(3);
    expect(rig.app.overlapping).toEqual([]);
  });

  it('the leader is asked to end: it says that it is not ready, and the other leads before its term is over', async () => {
    const [a, b] = [relays.get('a'), relays.get('b')];
    if (a === undefined || b === undefined) throw new Error('both run');
    const endedAt = performance.now();
    process.kill(a.pid, 'SIGTERM');
    await until('it is not ready', async () => (await healthOf(a, '/readyz')).status === 503, 3000);
    // Whoever still comes to its port is served.
    await rig.moveNode(node, '127.0.0.1');
    expect(await kubectlOutput(['logs', 'early'], rig.cluster.kubectl)).toBe('hello\n');
    await until('b leads', () => isLeading('b'));
    expect(performance.now() - endedAt).toBeLessThan(15_000);
    expect(await a.exited).toEqual({ code: 0, signal: null });
    relays.delete('a');
    await until('its snapshot', () => handovers().length === 4);
  });

  it('the last one that is asked to end leaves the Lease to nobody', async () => {
    await relays.get('b')?.stop(5000);
    relays.delete('b');
    expect(await specOf()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 4 });
    const posts = rig.app.posts.length;
    await rig.apply(pod('late', otherNode));
    await sleep(500);
    expect(rig.app.posts).toHaveLength(posts);
    expect(rig.app.malformed).toEqual([]);
  });
});
