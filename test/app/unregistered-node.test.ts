import { describe, expect, it } from 'vitest';
import { nodePartition } from '../../shared/adapters/tables/keys.ts';
import { createStateStore } from '../../shared/adapters/tables/state-store.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import { hooked } from './hooks.ts';
import { clusterUid } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const silent = { info: () => undefined, warn: () => undefined };
const node = { cluster: clusterUid, node: 'aci-1' };

/**
 * A process that still serves `aci-1`, though from the `at`-th call of its tables on it is not registered any more and
 * its rows are removed.
 */
async function servesOn(at: number): Promise<{ readonly world: World; readonly calls: () => number }> {
  const world = await createWorld();
  let registered = true;
  let calls = 0;
  const refusal = { kind: 'denied', code: 'NodeNotRegistered', message: 'not registered' } as const;
  const store = createStateStore(world.store.table, silent, {
    mayBegin: () => Promise.resolve(registered ? ok(undefined) : fail(refusal)),
  });
  const before = (call: string): void => {
    if (!call.startsWith('store.')) return;
    calls += 1;
    if (calls !== at) return;
    registered = false;
    world.store.clear();
  };
  world.deps = hooked({ ...world.deps, store }, { before });
  return { world, calls: () => calls };
}

/** A pod comes, runs, and another comes; the relay, the timers and a resync do their part. */
async function live(world: World): Promise<void> {
  await world.beat();
  world.createPod('exits-0');
  await world.run(3);
  await world.post('snapshot');
  world.relay = false;
  world.createPod('serves', {}, { name: 'later' });
  await world.sweep({ resync: true });
  await world.beat();
}

describe('a process that does not know yet that its node left', () => {
  it('writes no row of it once the rows were removed, whatever it was about to do', async () => {
    const whole = await servesOn(Infinity);
    await live(whole.world);
    expect(whole.world.store.table.readPartition(nodePartition(node)).length).toBeGreaterThan(4);
    for (let at = 1; at <= whole.calls(); at += 1) {
      const { world } = await servesOn(at);
      await live(world);
      expect({ at, rows: world.store.table.readPartition(nodePartition(node)) }).toEqual({ at, rows: [] });
    }
  });
});
