/** What the relay learns of Azure Monitor, with ticks that it makes anyway. */
import { describe, expect, it } from 'vitest';
import { ResourceMeter } from '../../infra/cluster/relay/resource-metrics/resource-meter.ts';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import { fail } from '../../shared/core/fault.ts';
import type { Fault } from '../../shared/core/fault.ts';
import { measuredPod } from '../../shared/core/resource-metrics/measured-pod.ts';
import type { MetricsAnswer, MetricsQuery } from '../../shared/wire/relay-protocol/group-metrics.ts';
import { formatPodEventsAnswer, parsePodEventsAnswer } from '../../shared/wire/relay-protocol/pod-events-answer.ts';
import { parsePodEvents } from '../../shared/wire/relay-protocol/pod-events.ts';
import { subnetId } from '../core/pod/fixtures.ts';
import { createWorld } from './world.ts';
import type { World, WorldOptions } from './world.ts';

const { signal } = new AbortController();

/** One tick over the wire, both ways. */
async function tick(world: World, metrics: readonly MetricsQuery[]): Promise<MetricsAnswer | undefined> {
  const body = JSON.stringify({ epoch: 'e', seq: 1, kind: 'tick', pods: [], ...(metrics.length > 0 && { metrics }) });
  const events = parsePodEvents(body);
  if (!events.ok) throw new Error(JSON.stringify(events.faults));
  const outcome = await handlePodEvents(world.deps, world.clusterDeps(), events.value, signal);
  if (outcome.kind !== 'accepted') throw new Error(outcome.message);
  return parsePodEventsAnswer(JSON.stringify(formatPodEventsAnswer(outcome.answer, outcome.nowMs)))?.metrics;
}

async function running(names: readonly string[], options: WorldOptions = {}): Promise<World> {
  const world = await createWorld({ quota: { groups: 1000, cores: 1000 }, ...options });
  for (const name of names) world.createPod('serves', {}, { name });
  await world.run(400);
  return world;
}

const queryOf = (world: World, name: string, changes: Partial<MetricsQuery> = {}): MetricsQuery => {
  const { namespace, uid } = world.pod(name)?.metadata ?? { namespace: '', uid: '' };
  return { node: 'aci-1', namespace, name, uid, sinceMs: world.now - 300_000, ...changes };
};

const failing = (fault: Fault): Pick<WorldOptions, 'wrap'> => ({
  wrap: (deps) => ({ ...deps, groups: { ...deps.groups, listMetrics: () => Promise.resolve(fail(fault)) } }),
});

describe('a tick that asks for metrics', () => {
  it('is answered with the minutes of each pod, by one read each', async () => {
    const world = await running(['a', 'b']);
    const queries = ['a', 'b'].map((name) => queryOf(world, name));
    let answer: MetricsAnswer | undefined;
    expect(await world.count('groups.listMetrics', async () => (answer = await tick(world, queries)))).toBe(2);
    expect(answer?.pods.map(({ uid }) => uid)).toEqual(queries.map(({ uid }) => uid));
    const [main] = answer?.pods[0]?.containers ?? [];
    expect(main?.name).toBe('main');
    expect(main?.minutes.length).toBeGreaterThanOrEqual(2);
    expect(main?.minutes.every(([atMs, cpu, bytes]) => atMs % 60_000 === 0 && cpu > 0 && bytes === 5e7)).toBe(true);
  });

  it('that asks for nothing costs nothing, and shows that the app could be asked', async () => {
    const world = await running(['a']);
    let answer: MetricsAnswer | undefined;
    expect(await world.count('groups.listMetrics', async () => (answer = await tick(world, [])))).toBe(0);
    expect(answer).toEqual({ pods: [] });
  });

  it.each<[string, Partial<MetricsQuery>]>([
    ['of another name than it was', { name: 'other' }],
    ['of another namespace', { namespace: 'other' }],
    ['that nobody knows', { uid: 'u-elsewhere' }],
    ['of a node that is not registered', { node: 'aci-9' }],
  ])('for a pod %s reads nothing of ARM, and learns nothing', async (_, changes) => {
    const world = await running(['a']);
    const query = queryOf(world, 'a', changes);
    let answer: MetricsAnswer | undefined;
    expect(await world.count('groups.listMetrics', async () => (answer = await tick(world, [query])))).toBe(0);
    expect(answer).toEqual({ pods: [{ uid: query.uid, containers: [] }] });
  });

  it('for what is known already reads nothing: no minute is over since', async () => {
    const world = await running(['a']);
    const query = queryOf(world, 'a', { sinceMs: world.now - 1000 });
    expect(await world.count('groups.listMetrics', () => tick(world, [query]))).toBeLessThanOrEqual(1);
    expect(await world.count('groups.listMetrics', () => tick(world, [{ ...query, sinceMs: world.now }]))).toBe(0);
  });

  it.each<[string, Fault, number]>([
    ['may not read them', { kind: 'denied', code: 'AuthorizationFailed', message: 'no' }, 600_000],
    ['has no budget left', { kind: 'throttled', retryAfterMs: 700, message: 'no' }, 700],
  ])('of an app that %s is answered with when to ask again, and nobody is asked twice', async (_, fault, retryInMs) => {
    const world = await running(['a', 'b'], failing(fault));
    const queries = ['a', 'b'].map((name) => queryOf(world, name));
    expect(await tick(world, queries)).toEqual({ pods: [], retryInMs });
  });

  it('goes on where one group is gone', async () => {
    const world = await running(['a', 'b']);
    const [gone] = world.groups.names();
    world.groups.removeGroup(gone ?? '');
    const answer = await tick(
      world,
      ['a', 'b'].map((name) => queryOf(world, name)),
    );
    expect(answer?.pods.map(({ containers }) => containers.length)).toEqual([0, 1]);
  });

  it('with more than an app takes, or with anything else than pods, is refused whole', () => {
    const query: MetricsQuery = { node: 'n', namespace: 'a', name: 'b', uid: 'u', sinceMs: 0 };
    const body = (metrics: unknown): string => JSON.stringify({ epoch: 'e', seq: 1, kind: 'tick', pods: [], metrics });
    expect(parsePodEvents(body([query])).ok).toBe(true);
    for (const bad of [
      Array.from({ length: 101 }, () => query),
      [{ ...query, name: '../x' }],
      [{ ...query, x: 1 }],
      'a',
    ])
      expect(parsePodEvents(body(bad)).ok).toBe(false);
  });
});

describe('relay and app together, without a subnet', () => {
  const meterOf = (world: World): ResourceMeter =>
    new ResourceMeter({
      nodes: ['aci-1'],
      fetch: () => Promise.resolve('ECONNREFUSED'),
      clock: { wallMs: () => world.now, monotonicMs: () => world.now },
    });

  async function show(world: World, meter: ResourceMeter) {
    for (const name of ['a', 'b']) {
      const pod = world.pod(name);
      if (pod !== undefined) meter.set({ key: { uid: pod.metadata.uid }, measured: measuredPod(pod) });
    }
    return meter.node('aci-1')?.read();
  }

  it('nobody who asks: nothing is read; somebody asks: each pod once a minute, its counter rising', async () => {
    const world = await running(['a', 'b']);
    const meter = meterOf(world);
    await show(world, meter);
    world.now += 301_000;
    expect(meter.takeQueries()).toEqual([]);
    const seconds: number[] = [];
    let reads = 0;
    for (let second = 0; second < 600; second += 15) {
      const reading = await show(world, meter);
      const [first] = reading?.pods ?? [];
      if (first !== undefined) seconds.push((first.containers[0]?.cpuNanoSeconds ?? 0) / 1e9);
      reads += await world.count('groups.listMetrics', async () => {
        const answer = await tick(world, meter.takeQueries());
        if (answer !== undefined) meter.take(answer);
      });
      world.now += 15_000;
    }
    // Two pods, ten minutes.
    expect(reads).toBe(20);
    expect(seconds.length).toBeGreaterThan(35);
    expect(seconds.every((value, index) => value >= (seconds[index - 1] ?? 0))).toBe(true);
    // A tenth of a core.
    const grown = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0);
    expect(grown).toBeGreaterThanOrEqual(6 * 7);
    expect(grown).toBeLessThanOrEqual(6 * 10);
  });

  it('a pod that was not asked for want of a budget is the first of the next tick', async () => {
    const world = await running(['a', 'b']);
    const meter = meterOf(world);
    await show(world, meter);
    const first = meter.takeQueries();
    expect(first.map(({ name }) => name)).toEqual(['a', 'b']);
    meter.take({ pods: [{ uid: first[0]?.uid ?? '', containers: [] }], retryInMs: 2000 });
    expect(meter.takeQueries()).toEqual([]);
    world.now += 2001;
    expect(meter.takeQueries().map(({ name }) => name)).toEqual(['b']);
  });
});

describe('an app that begins to add realtime-metrics', () => {
  it('makes no group anew that runs: only new ones have it', async () => {
    let isOn = false;
    const inSubnet: WorldOptions['wrap'] = (deps) => ({
      ...deps,
      clusters: new Map(
        [...deps.clusters].map(([uid, cluster]) => {
          const nodes = [...cluster.nodes].map(([name, node]) => {
            const facts = { ...node.facts, subnetId, realtimeMetrics: isOn };
            return [name, { ...node, facts }] as const;
          });
          return [uid, { ...cluster, nodes: new Map(nodes) }];
        }),
      ),
    });
    const world = await createWorld({ wrap: inSubnet });
    world.createPod('serves', {}, { name: 'before' });
    await world.run(60);
    isOn = true;
    world.restart();
    await world.run(700);
    world.createPod('serves', {}, { name: 'after' });
    await world.run(60);
    const puts = world.groups.puts();
    expect(puts.map((name) => name.split('-')[1])).toEqual(['before', 'after']);
    const extensions = puts.map((name) => world.groups.readGroup(name)?.body.extensions?.map((one) => one.name));
    expect(extensions).toEqual([undefined, ['realtime-metrics']]);
  });
});
