import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { describe, expect, it } from 'vitest';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import { makeDue } from '../../shared/app/make-due.ts';
import { newNodeRow } from '../../shared/core/reconcile/node-row.ts';
import { sweep } from '../../shared/app/sweep.ts';
import { hooked } from './hooks.ts';
import { createWorld } from './world.ts';

/** An invocation whose time is over: it can only plan. */
const ended = AbortSignal.abort();
const refOf = { namespace: 'default', name: 'p' };

describe('a plan for a pod that is due already', () => {
  it('refuses the claim of who has read the pod before', async () => {
    const world = await createWorld();
    world.relay = false;
    const pod = world.createPod('serves', { restartPolicy: 'Always' });
    const plan = () => {
      const pods = [keyOf(world.pod() ?? pod)];
      return handlePodEvents(world.deps, world.clusterDeps(), { epoch: 'e', seq: 1, kind: 'delta', pods }, ended);
    };
    await world.store.upsertNode(
      world.nodeDeps().key,
      { ...newNodeRow(), resyncedAt: world.now, countedAt: world.now, relayHeardAt: world.now },
      undefined,
    );
    await plan();
    // One instance has read row and pod, and is frozen before it claims the row.
    let go: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      const stands = new Promise<void>((thaw) => (go = thaw));
      const after = async (call: string): Promise<void> => {
        if (call !== 'api.getPod') return;
        resolve();
        await stands;
      };
      const other = hooked(world.newInstance(), { after });
      void sweep(
        other,
        [...other.clusters.values()].flatMap(({ nodes }) => [...nodes.values()]),
        { resync: false },
        new AbortController().signal,
      );
    });
    await reached;
    world.deletePod();
    await plan();
    go();
    await world.sweep();
    expect([world.statusOf(), world.groups.puts(), world.rows().filter(({ lock }) => lock !== undefined)]).toEqual([
      'gone',
      [],
      [],
    ]);
  });

  it('is written once, however many say so at once', async () => {
    const world = await createWorld();
    world.relay = false;
    const { uid } = world.createPod('serves').metadata;
    const plan = () => makeDue(world.deps, world.nodeDeps(), { ...refOf, uid });
    await plan();
    const before = world.store.table.changes();
    await Promise.all(Array.from({ length: 20 }, plan));
    const touched = world.store.table.changes() - before;
    await plan();
    // The row and its due key.
    expect([touched, world.store.table.changes() - before]).toEqual([2, 4]);
    expect(world.row()).toMatchObject({ dueAt: world.now, lock: undefined, dirty: false });
  });
});
