import { describe, expect, it } from 'vitest';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const offered = (world: World): string | undefined => {
  const node = world.cluster.nodes.get('aci-1');
  return node.ok ? node.value.status.allocatable.pods : undefined;
};

/** Five minutes and a bit: a resync, and a beat after it. */
async function toldAnew(world: World): Promise<void> {
  await world.run(310);
  await world.beat();
}

describe('groups of ended pods', () => {
  it('are no capacity: a node whose quota they fill offers nothing, until they go', async () => {
    const world = await createWorld({ quota: { groups: 5, cores: 50 } });
    await world.beat();
    for (let index = 0; index < 5; index += 1) world.createPod('exits-0', {}, { name: `p${index}` });
    await toldAnew(world);
    expect([world.groups.names().length, offered(world)]).toEqual([5, '0']);
    const row = await world.store.getNode(world.nodeDeps().key);
    expect(row.ok && row.value?.value.usage).toMatchObject({
      ownGroups: 0,
      ownCores: 0,
      endedGroups: 5,
      endedCores: 5,
    });
    for (let index = 0; index < 3; index += 1) world.deletePod(`p${index}`);
    await toldAnew(world);
    expect([world.groups.names().length, offered(world)]).toEqual([2, '3']);
  });

  it('those of pods that run are what the scheduler has taken', async () => {
    const world = await createWorld({ quota: { groups: 5, cores: 50 } });
    await world.beat();
    for (let index = 0; index < 3; index += 1)
      world.createPod('serves', { restartPolicy: 'Always' }, { name: `p${index}` });
    world.createPod('exits-0', {}, { name: 'ends' });
    await toldAnew(world);
    expect([world.groups.names().length, offered(world)]).toEqual([4, '4']);
  });
});
