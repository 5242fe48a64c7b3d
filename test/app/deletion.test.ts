import { jobFinalizer } from '../../infra/local/sim/pods/pod-spec.ts';
import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { describe, expect, it } from 'vitest';
import { ok } from '../../shared/core/fault.ts';
import { hooked } from './hooks.ts';
import { createWorld } from './world.ts';

const { signal } = new AbortController();

describe('graceful delete', () => {
  it('ends a running pod: stop, terminal status, group, object, row', async () => {
    const world = await createWorld();
    const { metadata } = world.createPod('serves', { restartPolicy: 'Always' });
    const last: string[] = [];
    world.cluster.watchPods((change, pod) => void last.push(`${change} ${pod.status.phase}`));
    await world.run(60);
    world.deletePod();
    const before = world.calls.length;
    await world.run(10);
    const order = world.calls
      .slice(before)
      .filter((call) => /stop|\.delete$|patchPodStatus|api\.deletePod|store\.deletePod/.test(call));
    // What comes after is the event of the deletion itself.
    expect(order.slice(0, 5)).toEqual([
      'groups.stop',
      'api.patchPodStatus',
      'groups.delete',
      'api.deletePod',
      'store.deletePod',
    ]);
    expect([world.statusOf(), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
    expect(last.at(-1)).toBe('deleted Failed');
    expect(world.phases.get(metadata.uid)).toEqual(['Pending', 'Running', 'Failed']);
    expect(world.groups.puts()).toHaveLength(1);
  });

  it('is tried again within a long run when a budget held it up', async () => {
    const throttled = { kind: 'throttled', retryAfterMs: 200, message: 'The budget reads is used up.' } as const;
    const world = await createWorld();
    for (const name of ['p', ...Array.from({ length: 12 }, (_, index) => `q-${index}`)])
      world.createPod('serves', { restartPolicy: 'Always' }, { name });
    await world.run(60);
    world.groups.inject({ method: 'get', moment: 'before', fault: throttled });
    world.deletePod();
    await world.step();
    // All polls are due, and each takes a while.
    world.relay = false;
    world.now += 80_000;
    world.groups.inject({ method: 'get', moment: 'before', fault: throttled });
    world.deps = hooked(world.deps, {
      before: (call) => void (call === 'groups.get' && (world.now += 100)),
    });
    await world.sweep();
    expect(world.statusOf()).toBe('gone');
  });

  it('keeps the true exit code of a container that ended before the stop', async () => {
    const world = await createWorld();
    world.cluster.pods.create({
      name: 'p',
      nodeName: 'aci-1',
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 30,
        containers: [
          { name: 'a', image: 'exits-3' },
          { name: 'b', image: 'serves' },
        ],
      },
    });
    await world.run(8);
    let said = '';
    world.cluster.watchPods((change) => void (change === 'modified' && (said = world.statusOf())));
    world.relay = false;
    world.now += 60_000;
    world.deletePod();
    world.relay = true;
    const pod = world.pod();
    if (pod === undefined) throw new Error('the pod is gone');
    await world.post('delta', [keyOf(pod)]);
    await world.run(5);
    expect(said).toBe('Failed, a: Error 3, b: ContainerStatusUnknown 137');
    expect([world.statusOf(), world.groups.names()]).toEqual(['gone', []]);
  });

  it('deletes a group that is not provisioned yet without a stop', async () => {
    const world = await createWorld({ provisioningMs: 120_000 });
    world.createPod('serves');
    await world.run(3);
    world.deletePod();
    expect(await world.count('groups.stop', () => world.run(5))).toBe(0);
    expect([world.statusOf(), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
  });

  it('releases a pod that never got a group', async () => {
    const world = await createWorld();
    world.groups.inject({
      method: 'createOrUpdate',
      moment: 'before',
      fault: { kind: 'capacity', code: 'x', message: 'no room' },
      times: 100,
    });
    world.createPod('serves');
    await world.run(3);
    world.deletePod();
    await world.run(10);
    expect([world.statusOf(), world.groups.puts(), world.rows()]).toEqual(['gone', [], []]);
  });

  it('waits for a PUT that may still land, then deletes what it made', async () => {
    const world = await createWorld({ visibleAfterMs: 20_000 });
    world.groups.inject({
      method: 'createOrUpdate',
      moment: 'after',
      fault: { kind: 'transient', message: 'timeout' },
    });
    world.createPod('serves');
    await world.run(2);
    world.deletePod();
    await world.run(100);
    expect([world.statusOf(), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
  });

  it('does not leave a group behind that ARM was slow to show', async () => {
    const world = await createWorld({ visibleAfterMs: 15_000 });
    world.createPod('serves');
    await world.run(2);
    world.deletePod();
    await world.run(60);
    expect([world.statusOf(), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
  });

  it('deletes the group of a pod that has ended, and keeps its codes', async () => {
    const world = await createWorld();
    world.createPod('exits-3');
    await world.run(60);
    let last = '';
    world.cluster.watchPods(
      (change, pod) =>
        void (change === 'deleted' && (last = `${pod.status.phase} ${pod.status.containerStatuses[0]?.state.kind}`)),
    );
    world.deletePod();
    await world.run(5);
    expect([world.statusOf(), world.groups.names(), world.rows(), last]).toEqual(['gone', [], [], 'Failed terminated']);
  });

  it('deletes an ended pod whose object a finalizer keeps, and its row when the object goes', async () => {
    const world = await createWorld();
    world.createPod('exits-0', {}, { finalizers: [jobFinalizer] });
    await world.run(60);
    world.deletePod();
    await world.run(20);
    expect([world.statusOf(), world.groups.names()]).toEqual(['Succeeded, main: Completed 0', []]);
    world.cluster.pods.removeFinalizers({ namespace: 'default', name: 'p' });
    await world.run(20);
    expect([world.statusOf(), world.rows()]).toEqual(['gone', []]);
  });

  it('gives up stopping when the grace period is long over', async () => {
    const world = await createWorld();
    world.createPod('serves');
    await world.run(20);
    world.groups.inject({
      method: 'stop',
      moment: 'before',
      fault: { kind: 'conflict', code: 'ContainerGroupTransitioning', message: 'transitioning' },
      times: 1000,
    });
    world.deletePod();
    await world.run(55);
    expect(world.statusOf()).toBe('Running, main: running');
    await world.run(30);
    expect([world.statusOf(), world.groups.names()]).toEqual(['gone', []]);
  });

  it('asks ARM ever more rarely to let go of an object that a finalizer keeps', async () => {
    const world = await createWorld();
    world.createPod('exits-0', {}, { finalizers: ['example.com/stuck'] });
    await world.run(60);
    world.deletePod();
    expect(await world.count('api.deletePod', () => world.run(3_600))).toBeLessThan(25);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('sends a stop that ARM took and does not show twice a minute at most', async () => {
    const world = await createWorld();
    world.createPod('serves', { terminationGracePeriodSeconds: 600 });
    await world.run(20);
    const [name = ''] = world.groups.names();
    world.groups.overrideGroup(name, (seen) => ({ ...seen, state: 'Running', provisioningState: 'Succeeded' }));
    world.deletePod();
    expect(await world.count('groups.stop', () => world.run(20))).toBe(1);
    expect(await world.count('groups.stop', () => world.run(60))).toBeLessThanOrEqual(2);
  });

  it('sends a DELETE that ARM took and of which nothing came again after half a minute', async () => {
    let sent = 0;
    const world = await createWorld({
      wrap: (deps) => {
        const lost = (): ReturnType<typeof deps.groups.delete> => {
          sent += 1;
          return Promise.resolve(ok('accepted'));
        };
        return { ...deps, groups: { ...deps.groups, delete: lost } };
      },
    });
    world.createPod('exits-0');
    await world.run(60);
    world.deletePod();
    await world.run(20);
    expect(sent).toBe(1);
    await world.run(60);
    expect(sent).toBeGreaterThan(1);
    expect(sent).toBeLessThanOrEqual(3);
    expect(world.rows()).toHaveLength(1);
  });

  it('asks a group that is going whether it has gone, and sends no second DELETE', async () => {
    const world = await createWorld();
    world.createPod('exits-0');
    await world.run(60);
    const [name = ''] = world.groups.names();
    world.groups.overrideGroup(name, (seen) => ({ ...seen, provisioningState: 'Deleting' }));
    world.deletePod();
    expect(await world.count('groups.delete', () => world.run(20))).toBe(0);
    world.groups.removeGroup(name);
    await world.run(20);
    expect([world.statusOf(), world.rows()]).toEqual(['gone', []]);
  });
});

describe('force delete', () => {
  it.each([{ relay: true }, { relay: false }])('the group goes after its pod (relay: $relay)', async ({ relay }) => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    world.relay = relay;
    world.deletePod('p', 0);
    expect(world.statusOf()).toBe('gone');
    await world.run(relay ? 5 : 330);
    expect([world.groups.names(), world.rows()]).toEqual([[], []]);
  });

  it('while the PUT is in flight leaves nothing', async () => {
    const world = await createWorld({ visibleAfterMs: 15_000 });
    world.createPod('serves');
    await world.step();
    world.deletePod('p', 0);
    await world.run(100);
    expect([world.groups.names(), world.rows()]).toEqual([[], []]);
  });

  it('of a pod that is being deleted gracefully', async () => {
    const world = await createWorld({ provisioningMs: 1_000 });
    world.createPod('serves');
    await world.run(10);
    world.deletePod('p', 30);
    world.deletePod('p', 0);
    await world.run(10);
    expect([world.statusOf(), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
  });
});

describe('a pod of the same name after it', () => {
  it('gets a group of its own, and the old one’s status is never written to it', async () => {
    const world = await createWorld();
    world.createPod('exits-3');
    await world.run(10);
    world.deletePod('p', 0);
    const second = world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    expect(world.statusOf()).toBe('Running, main: running');
    expect(world.groups.names()).toHaveLength(1);
    expect(world.groups.puts()).toHaveLength(2);
    expect(world.phases.get(second.metadata.uid)).toEqual(['Pending', 'Running']);
    expect((await world.groups.list(signal)).ok).toBe(true);
  });
});
