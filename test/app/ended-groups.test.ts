import { describe, expect, it } from 'vitest';
import { readContainerLogs } from '../../shared/app/read-logs.ts';
import type { Fault } from '../../shared/core/fault.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const images = { 'says-and-exits': { runMs: 10_000, exitCode: 3, log: '2026-11-23T12:00:05Z done\n' } };
const ended = 'Failed, main: Error 3';

/** A quota of five groups, taken by five pods that end one after the other. */
async function fullWorld(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = await createWorld({ quota: { groups: 5, cores: 100 }, images, ...options });
  for (let index = 0; index < 5; index += 1) {
    world.createPod('exits-3', spec('says-and-exits'), { name: `old-${index}` });
    await world.run(3);
  }
  await world.run(60);
  expect(statusesOf(world, 'old')).toEqual(Array(5).fill(ended));
  return world;
}

const spec = (image: string) => ({ containers: [{ name: 'main', image }] });

const statusesOf = (world: World, name: string): readonly string[] =>
  [0, 1, 2, 3, 4].map((index) => world.statusOf(`${name}-${index}`));

function createPods(world: World, count: number): void {
  for (let index = 0; index < count; index += 1)
    world.createPod('serves', { restartPolicy: 'Always' }, { name: `new-${index}` });
}

async function logOf(world: World, name: string): Promise<string> {
  const uid = world.pod(name)?.metadata.uid ?? '';
  const request = { namespace: 'default', name, uid, container: 'main' };
  const read = await readContainerLogs(world.deps, world.nodeDeps(), request, new AbortController().signal);
  return read.ok ? read.value : read.fault.kind;
}

const groupsOf = (world: World, name: string): number =>
  world.groups.names().filter((group) => group.startsWith(`default-${name}-`)).length;

describe('groups of ended pods', () => {
  it('make room for those that wait, and their pods keep their status and their logs', async () => {
    const world = await fullWorld();
    createPods(world, 5);
    await world.run(400);
    expect(statusesOf(world, 'new')).toEqual(Array(5).fill('Running, main: running'));
    expect(statusesOf(world, 'old')).toEqual(Array(5).fill(ended));
    expect(groupsOf(world, 'old')).toBe(0);
    for (const index of [0, 1, 2, 3, 4]) expect(await logOf(world, `old-${index}`)).toBe('2026-11-23T12:00:05Z done\n');
    expect(world.groups.puts()).toHaveLength(10);
  });

  it('go oldest first, and no more of them than are needed', async () => {
    const world = await fullWorld();
    createPods(world, 2);
    await world.run(200);
    expect([0, 1, 2, 3, 4].map((index) => groupsOf(world, `old-${index}`))).toEqual([0, 0, 1, 1, 1]);
    expect([world.statusOf('new-0'), world.statusOf('new-1')]).toEqual(Array(2).fill('Running, main: running'));
  });

  it('are no more than a row once their pods are deleted, and neither is the log', async () => {
    const world = await fullWorld();
    createPods(world, 5);
    await world.run(400);
    for (const index of [0, 1, 2, 3, 4]) world.deletePod(`old-${index}`);
    await world.run(60);
    expect(statusesOf(world, 'old')).toEqual(Array(5).fill('gone'));
    expect([world.rows().length, world.groups.names().length, world.keptLogs.groups()]).toEqual([5, 5, []]);
  });

  it('of pods that live, or are being deleted, are left alone', async () => {
    const world = await createWorld({ quota: { groups: 2, cores: 100 }, images });
    world.createPod('serves', { restartPolicy: 'Always' }, { name: 'lives' });
    world.createPod('exits-3', spec('says-and-exits'), { name: 'old-0' });
    await world.run(60);
    createPods(world, 3);
    await world.run(300);
    expect(world.statusOf('lives')).toBe('Running, main: running');
    expect(statusesOf(world, 'new').filter((one) => one.startsWith('Running'))).toHaveLength(1);
    expect(world.groups.puts().filter((group) => group.startsWith('default-lives'))).toHaveLength(1);
  });

  it('stay where their logs can not be kept, and that is reported', async () => {
    const world = await fullWorld();
    const away: Fault = { kind: 'transient', message: 'Blob storage answered 500' };
    world.keptLogs.fault = away;
    createPods(world, 1);
    await world.run(120);
    expect(world.statusOf('new-0')).toBe('Pending, main: ProviderCapacity');
    expect(groupsOf(world, 'old')).toBe(5);
    expect(world.events('LogNotKept')[0]).toMatch(/stays, though its quota is needed: .*Blob storage answered 500$/);
    world.keptLogs.fault = undefined;
    await world.run(400);
    expect(world.statusOf('new-0')).toBe('Running, main: running');
    expect(groupsOf(world, 'old')).toBe(4);
  });

  it('stay when it is the region that has no room', async () => {
    const world = await fullWorld();
    const fault = { kind: 'capacity', code: 'InsufficientCapacity', message: 'no room' } as const;
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault, times: 100 });
    createPods(world, 1);
    await world.run(120);
    expect(groupsOf(world, 'old')).toBe(5);
  });

  it('of other nodes make room, too, and after the rows were lost', async () => {
    const world = await fullWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }] });
    world.store.clear();
    await world.run(180);
    world.createPod('serves', { restartPolicy: 'Always' }, { name: 'new-0', nodeName: 'aci-2' });
    await world.run(300);
    expect(world.statusOf('new-0')).toBe('Running, main: running');
    expect(groupsOf(world, 'old')).toBe(4);
    expect(statusesOf(world, 'old')).toEqual(Array(5).fill(ended));
  });
});

const offered = (world: World): string | undefined => {
  const node = world.cluster.nodes.get('aci-1');
  return node.ok ? node.value.status.allocatable.pods : undefined;
};

/** Five minutes and a bit: a resync, and a beat after it. */
async function reportedAnew(world: World): Promise<void> {
  await world.run(310);
  await world.beat();
}

describe('what a node offers beside groups of ended pods', () => {
  it('is as if they were gone: they go when their room is needed', async () => {
    const world = await createWorld({ quota: { groups: 5, cores: 50 } });
    await world.beat();
    for (let index = 0; index < 5; index += 1) world.createPod('exits-0', {}, { name: `p${index}` });
    await reportedAnew(world);
    expect([world.groups.names().length, offered(world)]).toEqual([5, '5']);
    const row = await world.store.getNode(world.nodeDeps().key);
    expect(row.ok && row.value?.value.usage).toMatchObject({
      ownGroups: 0,
      ownCores: 0,
      endedGroups: 5,
      endedCores: 5,
    });
    for (let index = 0; index < 3; index += 1) world.deletePod(`p${index}`);
    await reportedAnew(world);
    expect([world.groups.names().length, offered(world)]).toEqual([2, '5']);
  });

  it('those of pods that run are what the scheduler has taken', async () => {
    const world = await createWorld({ quota: { groups: 5, cores: 50 } });
    await world.beat();
    for (let index = 0; index < 3; index += 1)
      world.createPod('serves', { restartPolicy: 'Always' }, { name: `p${index}` });
    world.createPod('exits-0', {}, { name: 'ends' });
    await reportedAnew(world);
    expect([world.groups.names().length, offered(world)]).toEqual([4, '5']);
  });
});
