import { describe, expect, it } from 'vitest';
import { usageOfRow } from '../../shared/core/usage/usage.ts';
import type { UsageRecord } from '../../shared/core/usage/usage.ts';
import { noon } from '../fixtures/pods.ts';
import { hooked } from './hooks.ts';
import { clusterUid } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const key = { cluster: clusterUid, node: 'aci-1' };

async function ledger(world: World, window = { from: 0, to: noon * 2 }): Promise<readonly UsageRecord[]> {
  const listed = await world.store.listUsage(key, window);
  if (!listed.ok) throw new Error(listed.fault.message);
  return listed.value;
}
const secondsOf = (records: readonly UsageRecord[]): readonly number[] =>
  records.map(({ startedAt, endedAt }) => Math.round((endedAt - startedAt) / 1000));

const owner = { kind: 'Job', name: 'nightly', uid: 'j', apiVersion: 'batch/v1', controller: true };

describe('the ledger', () => {
  it('has a pod once its row is gone: from its start to its own end', async () => {
    const world = await createWorld();
    const pod = world.createPod('exits-0', {}, { ownerReferences: [owner] });
    await world.run(60);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
    expect(await ledger(world)).toEqual([]);
    await world.run(600);
    world.deletePod();
    await world.run(60);
    expect(world.rows()).toEqual([]);
    const records = await ledger(world);
    expect(records).toMatchObject([
      { ...key, namespace: 'default', name: 'p', uid: pod.metadata.uid, owner: { kind: 'Job', name: 'nightly' } },
    ]);
    expect(records).toMatchObject([{ cpu: 1, memoryInGB: 1 }]);
    expect(secondsOf(records)).toEqual([20]);
  });

  it('counts a pod that runs from its row', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    const [row] = world.rows();
    if (row === undefined) throw new Error('no row');
    const [seconds = 0] = secondsOf(usageOfRow(key, row, world.now));
    expect(seconds).toBeGreaterThanOrEqual(50);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('has a pod that was stopped to the time of the stop, and one that was forced away', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    world.deletePod();
    await world.run(30);
    world.createPod('serves', { restartPolicy: 'Always' }, { name: 'forced' });
    await world.run(60);
    world.deletePod('forced', 0);
    await world.run(30);
    expect(world.rows()).toEqual([]);
    expect((await ledger(world)).map(({ name }) => name)).toEqual(['p', 'forced']);
    for (const seconds of secondsOf(await ledger(world))) {
      expect(seconds).toBeGreaterThanOrEqual(45);
      expect(seconds).toBeLessThanOrEqual(65);
    }
  });

  it('has each group of a pod whose first was taken away', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(100);
    world.groups.removeGroup(world.groups.names()[0] ?? '');
    await world.run(400);
    world.deletePod();
    await world.run(60);
    const records = await ledger(world);
    expect(records).toHaveLength(2);
    expect(new Set(records.map(({ uid }) => uid)).size).toBe(1);
    const [first, second] = records;
    expect(second?.startedAt ?? 0).toBeGreaterThanOrEqual(first?.endedAt ?? Infinity);
  });

  it('has nothing of a pod that never started', async () => {
    const world = await createWorld();
    world.createPod('serves', { hostPID: true });
    await world.run(60);
    world.deletePod();
    await world.run(60);
    expect([world.rows(), await ledger(world)]).toEqual([[], []]);
  });

  it('goes on after the tables were emptied, with what is seen from then on', async () => {
    const world = await createWorld();
    world.createPod('exits-0');
    await world.run(10);
    world.store.clear();
    await world.run(400);
    world.deletePod();
    await world.run(60);
    expect(secondsOf(await ledger(world))).toEqual([20]);
  });

  it.each(['before', 'after'] as const)('has it once when the process dies %s the row goes', async (moment) => {
    let dies = true;
    const die = (call: string): void => {
      if (call !== 'store.deletePod' || !dies) return;
      dies = false;
      throw new Error('the process dies');
    };
    const world = await createWorld({ wrap: (deps) => hooked(deps, { [moment]: die }) });
    world.createPod('exits-0');
    await world.run(60);
    world.deletePod();
    for (let second = 0; second < 700; second += 1) await world.run(1).catch(() => undefined);
    expect(dies).toBe(false);
    expect(world.rows()).toEqual([]);
    expect(secondsOf(await ledger(world))).toEqual([20]);
  });

  it('is pruned by the resync after 400 days', async () => {
    const world = await createWorld();
    world.createPod('exits-0');
    await world.run(60);
    world.deletePod();
    await world.run(60);
    world.now += 399 * 86_400_000;
    await world.sweep({ resync: true });
    expect(await ledger(world)).toHaveLength(1);
    world.now += 2 * 86_400_000;
    await world.sweep({ resync: true });
    expect(await ledger(world)).toEqual([]);
  });
});
