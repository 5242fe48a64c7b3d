import { describe, expect, it } from 'vitest';
import { tagNames } from '../../shared/core/group/identity.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import { hooked } from './hooks.ts';
import { createWorld } from './world.ts';
import type { World, WorldOptions } from './world.ts';

const brake = 'orphan brake: many container groups have no pod and are kept for ten minutes';
const all = (count: number): readonly number[] => [...Array(count).keys()];

/** Serving pods `p0`, `p1`…, which run; their rows stay as they are. */
async function withPods(count: number, options: WorldOptions = {}): Promise<World> {
  const world = await createWorld(options);
  for (const index of all(count)) {
    const nodeName = options.nodes?.[index % options.nodes.length]?.name ?? 'aci-1';
    world.createPod('serves', { restartPolicy: 'Always' }, { name: `p${index}`, nodeName });
  }
  await world.run(60);
  return world;
}

/** The API server knows them no more, as after an etcd restore: no deletionTimestamp, no last phase. */
function losePods(world: World, count: number): readonly Pod[] {
  const pods = all(count).map((index) => world.pod(`p${index}`));
  for (const index of all(count)) world.cluster.pods.remove({ namespace: 'default', name: `p${index}` });
  return pods.filter((pod) => pod !== undefined);
}

const alerts = (world: World): number => world.warnings.filter(({ message }) => message === brake).length;

describe('an API server that has lost 20 pods', () => {
  it.each([
    { how: 'the relay reports each', relay: true, heard: true },
    { how: 'a poll finds the first', relay: true, heard: false },
    { how: 'the relay is down', relay: false, heard: false },
  ])('keeps their groups for ten minutes, with one alert ($how)', async ({ relay, heard }) => {
    const world = await withPods(20);
    world.relay = relay;
    losePods(world, 20);
    if (!heard) world.forgetPending();
    await world.run(598);
    expect([world.groups.names().length, alerts(world)]).toEqual([20, 1]);
    await world.run(120);
    expect([world.groups.names(), world.rows(), alerts(world)]).toEqual([[], [], 1]);
  });

  it('is braked by two instances that find it at once', async () => {
    const world = await withPods(20);
    losePods(world, 20);
    const other = world.newInstance();
    const first = world.deps;
    await world.deliver();
    world.deps = other;
    await Promise.all([world.sweep(), world.sweep({ resync: true })]);
    world.deps = first;
    await world.run(500);
    expect([world.groups.names().length, alerts(world)]).toEqual([20, 1]);
  });

  it('and has them again: they are adopted without a restart', async () => {
    const world = await withPods(20);
    const lost = losePods(world, 20);
    await world.run(200);
    for (const { metadata, spec, rawSpec, status } of lost) {
      const { name, uid } = metadata;
      const pod = world.cluster.pods.create({ name, uid, nodeName: spec.nodeName, spec: rawSpec });
      world.cluster.pods.patchStatus(spec.nodeName, pod, status);
    }
    await world.run(700);
    expect([world.groups.names().length, world.groups.puts().length]).toEqual([20, 20]);
    expect(all(20).map((index) => world.statusOf(`p${index}`))).toEqual(all(20).map(() => 'Running, main: running'));
    expect(world.rows().flatMap(({ orphan }) => orphan ?? [])).toEqual([]);
  });

  it('spread over many nodes is braked as one', async () => {
    const nodes = all(5).map((index) => ({ name: `aci-${index + 1}` }));
    const world = await withPods(20, { nodes });
    losePods(world, 20);
    await world.run(590);
    expect([world.groups.names().length, alerts(world)]).toEqual([20, 1]);
  });

  it('is braked though nine times as many groups are somebody else’s', async () => {
    const world = await withPods(30);
    const body = world.groups.readGroup(world.groups.names()[0] ?? '')?.body;
    if (body === undefined) throw new Error('no group');
    for (const index of all(270))
      world.groups.addGroup({
        name: `other-${index}`,
        body: { ...body, tags: { ...body.tags, [tagNames.installation]: 'other' } },
      });
    losePods(world, 30);
    await world.run(590);
    expect([world.groups.names().length, alerts(world)]).toEqual([300, 1]);
  });
});

describe('a few pods that vanish', () => {
  it.each([{ relay: true }, { relay: false }])(
    'deleted by force go within a minute (relay: $relay)',
    async ({ relay }) => {
      const world = await withPods(20);
      world.relay = relay;
      for (const index of all(3)) world.deletePod(`p${index}`, 0);
      // A relay is taken to be down when it has been silent for 45 s.
      await world.run(relay ? 10 : 95);
      expect([world.groups.names().length, world.rows().length, alerts(world)]).toEqual([17, 17, 0]);
    },
  );

  it('are not taken for those that are held', async () => {
    const world = await withPods(10);
    losePods(world, 8);
    await world.run(30);
    world.deletePod('p8', 0);
    await world.run(30);
    expect(world.groups.names()).toHaveLength(10);
    await world.run(640);
    expect(world.groups.names()).toHaveLength(1);
  });
});

describe('pods whose deletion or end was seen', () => {
  it('many that went while a resync was reading are no orphans', async () => {
    let meddles = false;
    // Between the list of groups and that of pods.
    const meddle = async (call: string): Promise<void> => {
      if (!meddles || call !== 'groups.list') return;
      meddles = false;
      for (const index of all(20)) world.deletePod(`p${index}`);
      await world.run(20);
      expect(world.groups.names()).toEqual([]);
    };
    const world: World = await withPods(20, { wrap: (deps) => hooked(deps, { after: meddle }) });
    meddles = true;
    await world.sweep({ resync: true });
    await world.run(30);
    expect([meddles, world.rows(), alerts(world)]).toEqual([false, [], 0]);
  });

  it('many that were being deleted go at once', async () => {
    const world = await withPods(20);
    for (const index of all(20)) world.deletePod(`p${index}`, 30);
    // Each is polled once, and its group stays for a while.
    const fault = { kind: 'transient', message: 'away' } as const;
    world.groups.inject({ method: 'delete', moment: 'before', fault, times: 20 });
    await world.deliver();
    losePods(world, 20);
    world.forgetPending();
    expect(world.groups.names()).toHaveLength(20);
    await world.run(60);
    expect([world.groups.names(), alerts(world)]).toEqual([[], 0]);
  });

  it('many that had ended go at once', async () => {
    const world = await createWorld();
    for (const index of all(20)) world.createPod('exits-0', {}, { name: `p${index}` });
    await world.run(120);
    losePods(world, 20);
    await world.run(10);
    expect([world.groups.names(), world.rows(), alerts(world)]).toEqual([[], [], 0]);
  });
});
