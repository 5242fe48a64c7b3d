import { describe, expect, it } from 'vitest';
import { createWorld } from './world.ts';

describe('a pod that ends', () => {
  it('runs once and keeps its exit code', async () => {
    const world = await createWorld();
    world.createPod('exits-3');
    await world.run(4);
    expect(world.told()).toBe('Pending, main: ContainerCreating');
    await world.run(4);
    expect(world.told()).toBe('Running, main: running');
    await world.run(40);
    expect(world.told()).toBe('Failed, main: Error 3');
    expect(world.groups.puts()).toHaveLength(1);
    expect(world.row()).toMatchObject({ settled: true, dueAt: undefined });
    expect([...world.phases.values()]).toEqual([['Pending', 'Running', 'Failed']]);
  });
});
