import { describe, expect, it } from 'vitest';
import { ok } from '../../shared/core/fault.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const big = { containers: [{ name: 'main', image: 'serves', resources: { requests: { cpu: '4', memory: '4Gi' } } }] };

function createPods(world: World, count: number, name: string, spec: Parameters<World['createPod']>[1] = {}): void {
  for (let index = 0; index < count; index += 1)
    world.createPod('serves', { restartPolicy: 'Always', ...spec }, { name: `${name}-${index}` });
}

const running = (world: World, name: string, count: number): number =>
  Array.from({ length: count }, (_, index) => world.statusOf(`${name}-${index}`)).filter((reported) =>
    reported.startsWith('Running'),
  ).length;

/** Takes each PUT; while it is full, no group comes up. */
async function regionThatFailsGroups(): Promise<{ readonly world: World; readonly room: { isFull: boolean } }> {
  const room = { isFull: true };
  const world = await createWorld({
    wrap: (deps) => ({
      ...deps,
      groups: {
        ...deps.groups,
        get: async (...call: Parameters<typeof deps.groups.get>) => {
          const got = await deps.groups.get(...call);
          if (!got.ok || !room.isFull) return got;
          return ok({ ...got.value, provisioningState: 'Failed', state: '', containers: [] });
        },
        getOperation: () =>
          Promise.resolve(ok({ status: 'Failed', events: [{ name: 'InsufficientCapacity', message: 'no room' }] })),
      },
    }),
  });
  return { world, room };
}

describe('a region without room', () => {
  it('is asked by one pod, not by each: 20 pods that find none take a fraction of the creates that ACI grants', async () => {
    const world = await createWorld({ quota: { groups: 2, cores: 100 } });
    createPods(world, 22, 'p');
    await world.run(60);
    expect(running(world, 'p', 22)).toBe(2);
    expect(await world.count('groups.createOrUpdate', () => world.run(3_600))).toBeLessThan(125);
    expect(world.statusOf('p-21')).toBe('Pending, main: ProviderCapacity');
    expect(world.events('ProviderCapacity')).toHaveLength(20);
  });

  it('gives what becomes free to those who wait, at once', async () => {
    const world = await createWorld({ quota: { groups: 2, cores: 100 } });
    createPods(world, 4, 'p');
    await world.run(400);
    const up = [0, 1, 2, 3].filter((index) => world.statusOf(`p-${index}`).startsWith('Running'));
    for (const index of up) world.deletePod(`p-${index}`);
    await world.run(330);
    expect(running(world, 'p', 4)).toBe(2);
  });

  it('has none for some sizes: the others start as ever', async () => {
    const world = await createWorld({ quota: { groups: 100, cores: 10 } });
    createPods(world, 20, 'big', big);
    await world.run(120);
    expect(running(world, 'big', 20)).toBe(2);
    createPods(world, 2, 'small');
    await world.run(15);
    expect(running(world, 'small', 2)).toBe(2);
  });

  it('lets a burst through soon after there is room again', async () => {
    const world = await createWorld();
    const fault = { kind: 'capacity', code: 'InsufficientCapacity', message: 'no room' } as const;
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault, times: 5 });
    createPods(world, 40, 'p');
    await world.run(330);
    expect(running(world, 'p', 40)).toBe(40);
  });

  it('keeps nobody waiting for an answer that said nothing of room', async () => {
    const world = await createWorld();
    const full = { kind: 'capacity', code: 'InsufficientCapacity', message: 'no room' } as const;
    const denied = { kind: 'denied', code: 'AuthorizationFailed', message: 'not allowed' } as const;
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault: full, times: 1 });
    createPods(world, 1, 'p');
    await world.run(2);
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault: denied, times: 1 });
    createPods(world, 4, 'q');
    await world.run(30);
    expect(running(world, 'p', 1) + running(world, 'q', 4)).toBe(5);
  });

  it('that shows itself only when the group is made holds nobody back once a group has come up', async () => {
    const { world, room } = await regionThatFailsGroups();
    createPods(world, 1, 'first');
    await world.run(20);
    room.isFull = false;
    await world.run(120);
    expect(running(world, 'first', 1)).toBe(1);
    createPods(world, 20, 'p');
    await world.run(50);
    expect(running(world, 'p', 20)).toBe(20);
  });

  it('that shows itself only when the group is made costs no DELETE for each pod', async () => {
    const { world, room } = await regionThatFailsGroups();
    createPods(world, 20, 'p');
    await world.run(60);
    const deletes = await world.count('groups.delete', () => world.run(1_800));
    expect(deletes).toBeLessThan(70);
    room.isFull = false;
    await world.run(420);
    expect(running(world, 'p', 20)).toBe(20);
  });
});
