import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { describe, expect, it } from 'vitest';
import type { PodRef } from '../../shared/app/deps.ts';
import { handlePodEvents } from '../../shared/app/handle-pod-events.ts';
import { reconcilePod } from '../../shared/app/reconcile-pod.ts';
import { sweep } from '../../shared/app/sweep.ts';
import { noon } from '../fixtures/pods.ts';
import { hooked } from './hooks.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const { signal } = new AbortController();
const ended = AbortSignal.abort();

describe('pod events', () => {
  it('posted twice, and late after the pod is gone, change nothing more', async () => {
    const world = await createWorld();
    const pod = world.createPod('exits-0');
    await Promise.all([world.post('delta', [keyOf(pod)]), world.post('delta', [keyOf(pod), keyOf(pod)])]);
    await world.run(60);
    world.deletePod();
    await world.run(20);
    await world.post('delta', [keyOf(pod)]);
    await world.run(20);
    expect([world.statusOf(), world.groups.puts().length, world.groups.names(), world.rows()]).toEqual([
      'gone',
      1,
      [],
      [],
    ]);
  });

  it('in the wrong order lead to the same end', async () => {
    const world = await createWorld();
    world.relay = false;
    const pod = world.createPod('serves');
    world.deletePod();
    const deleting = world.pod();
    if (deleting === undefined) throw new Error('gone');
    await world.post('delta', [keyOf(deleting)]);
    await world.post('delta', [keyOf(pod)]);
    expect([world.statusOf(), world.groups.puts(), world.groups.names()]).toEqual(['gone', [], []]);
  });

  it('of nodes that nobody registered are named in the answer and touch nothing', async () => {
    const world = await createWorld();
    const pod = world.createPod('serves', {}, { nodeName: 'vm-1' });
    const calls = await world.count('groups.', async () =>
      expect(await world.post('delta', [keyOf(pod)])).toMatchObject({
        kind: 'accepted',
        answer: { unknownNodes: ['vm-1'] },
      }),
    );
    expect([calls, world.rows()]).toEqual([0, []]);
  });

  it.each([
    { it: 'a wrong name', change: { name: 'other' } },
    { it: 'a wrong namespace', change: { namespace: 'kube-system' } },
    { it: 'a wrong node', change: { node: 'aci-2' } },
    { it: 'an invented deletionTimestamp', change: { deletionTimestamp: '2026-11-23T12:00:00Z' } },
  ])('with $it never end a living pod', async ({ change }) => {
    const world = await createWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }] });
    const pod = world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    await world.post('delta', [{ ...keyOf(pod), ...change }]);
    await world.run(60);
    expect([world.statusOf(), world.groups.names().length, world.groups.puts().length]).toEqual([
      'Running, main: running',
      1,
      1,
    ]);
    expect(world.rows('aci-2')).toEqual([]);
  });

  it('with an invented UID of a real name leave the real pod alone', async () => {
    const world = await createWorld();
    const pod = world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    await world.post('delta', [{ ...keyOf(pod), uid: '00000000-0000-4000-8000-00000000beef' }]);
    expect([world.statusOf(), world.groups.names().length, world.rows().length]).toEqual([
      'Running, main: running',
      1,
      1,
    ]);
  });

  it('are planned when the time is over, and done by the sweep', async () => {
    const world = await createWorld();
    world.relay = false;
    const pod = world.createPod('exits-0');
    const events = { epoch: 'e', seq: 1, kind: 'delta' as const, pods: [keyOf(pod)] };
    const outcome = await handlePodEvents(world.deps, world.clusterDeps(), events, ended);
    expect([outcome.kind, world.groups.puts(), world.row()?.dueAt]).toEqual(['accepted', [], noon]);
    await world.sweep();
    expect(world.groups.puts()).toHaveLength(1);
  });

  it('are to be posted again when they can be neither done nor planned', async () => {
    const world = await createWorld();
    const pod = world.createPod('exits-0');
    const broken = { ok: false, fault: { kind: 'transient', message: 'no table' } } as const;
    world.deps = { ...world.deps, store: { ...world.store, getPod: async () => broken } };
    expect(await world.post('delta', [keyOf(pod)])).toEqual({ kind: 'unavailable', message: 'no table' });
  });

  it('while the API server is away are planned', async () => {
    const world = await createWorld();
    const pod = world.createPod('exits-0');
    world.forgetPending();
    world.cluster.inject({ method: 'getPod', moment: 'before', fault: { kind: 'transient', message: 'away' } });
    expect(await world.post('delta', [keyOf(pod)])).toMatchObject({ kind: 'accepted' });
    expect(world.row()?.dueAt).toBeLessThanOrEqual(noon + 4_000);
    await world.run(40);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('what a budget held up is tried again before the post is answered, when its time has come', async () => {
    const world = await createWorld();
    const pods = ['a', 'b'].map((name) => world.createPod('serves', {}, { name }));
    world.forgetPending();
    const refusals = [{ kind: 'throttled', retryAfterMs: 0, message: 'used up' } as const];
    const { groups } = world.deps;
    world.deps = {
      ...world.deps,
      groups: {
        ...groups,
        createOrUpdate: (...given) => {
          const fault = refusals.pop();
          return fault === undefined ? groups.createOrUpdate(...given) : Promise.resolve({ ok: false, fault });
        },
      },
    };
    await world.post('delta', pods.map(keyOf));
    expect(world.groups.names()).toHaveLength(2);
  });

  it('a snapshot ends what was deleted unseen', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    world.deletePod('p', 0);
    world.forgetPending();
    await world.post('snapshot');
    expect([world.groups.names(), world.rows()]).toEqual([[], []]);
  });

  it.each(['wake', 'snapshot', 'tick'] as const)(
    'a %s makes the Node of a node that was just registered',
    async (kind) => {
      const world = await createWorld();
      await world.post(kind);
      expect([world.cluster.nodes.get('aci-1').ok, world.cluster.nodes.getLease('aci-1').ok]).toEqual([true, true]);
    },
  );

  it('a wake is no word of the relay', async () => {
    const world = await createWorld();
    const heardAt = async (): Promise<number | undefined> => {
      const row = await world.store.getNode(world.nodeDeps().key);
      return row.ok ? row.value?.value.relayHeardAt : undefined;
    };
    await world.post('wake');
    expect(await heardAt()).toBeUndefined();
    await world.post('snapshot');
    expect(await heardAt()).toBe(world.now);
  });

  it('a relay that calls each second is heard, however often the app sweeps', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.post('snapshot');
    const lists = await world.count('api.listPods', async () => {
      for (let second = 0; second < 300; second += 1) {
        world.now += 1_000;
        await world.post('tick');
      }
    });
    const row = await world.store.getNode(world.nodeDeps().key);
    expect(row.ok && world.now - (row.value?.value.relayHeardAt ?? 0)).toBeLessThan(20_000);
    expect(lists).toBeLessThan(5);
  });

  it('say when the next poll is due: never sooner than in a second, never later than in thirty', async () => {
    const world = await createWorld();
    const times = async (): Promise<number> => {
      const outcome = await world.post('delta');
      return outcome.kind === 'accepted' ? outcome.answer.nextTickInMs : 0;
    };
    expect(await times()).toBe(30_000);
    world.createPod('exits-0');
    await world.deliver();
    expect(await times()).toBeGreaterThanOrEqual(1_000);
    expect(await times()).toBeLessThan(3_000);
    world.now += 60_000;
    expect(await times()).toBe(30_000 - 29_000);
  });

  it('a tick renews the Lease and works on what is due', async () => {
    const world = await createWorld();
    world.relay = false;
    world.createPod('exits-0');
    await world.sweep({ resync: true });
    world.now += 10_000;
    await world.post('tick');
    expect(world.cluster.nodes.getLease('aci-1').ok).toBe(true);
    expect(world.statusOf()).toBe('Running, main: running');
  });
});

const pair = (world: World) => [world.newInstance(), world.newInstance()] as const;

/** A process that is frozen behind the named call, past its lock, while another works on the pod. */
function overtaken(world: World, at: string, ref: PodRef): World['deps'] {
  const [one, two] = pair(world);
  return hooked(one, {
    after: async (call) => {
      if (call !== at) return;
      world.now += 41_000;
      await reconcilePod(two, nodeOf(two), { ref }, signal);
    },
  });
}

describe('several instances', () => {
  it('on the same pod at once: one works, the other says busy, one PUT', async () => {
    const world = await createWorld();
    const pod = world.createPod('exits-0');
    const [one, two] = pair(world);
    const ref = { namespace: 'default', name: 'p', uid: pod.metadata.uid };
    const outcomes = await Promise.all([one, two].map((deps) => reconcilePod(deps, nodeOf(deps), { ref }, signal)));
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['busy', 'worked']);
    expect(world.groups.puts()).toHaveLength(1);
  });

  it('news for a pod that another works on makes it due as soon as that one lets go', async () => {
    let deleted = false;
    const world: World = await createWorld({
      wrap: (deps) =>
        hooked(deps, {
          after: async (call) => {
            if (call !== 'groups.createOrUpdate' || deleted) return;
            deleted = true;
            world.deletePod();
            await world.deliver();
            expect(world.row()).toMatchObject({ dirty: true });
          },
        }),
    });
    world.createPod('serves');
    await world.step();
    await world.run(3);
    expect([world.statusOf(), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
  });

  it('its own patch that comes back meanwhile, or later, costs no read of ARM or of the pod', async () => {
    let echoes = 0;
    const world: World = await createWorld({
      wrap: (deps) =>
        hooked(deps, {
          after: async (call) => {
            if (call !== 'api.patchPodStatus') return;
            echoes += 1;
            await world.deliver();
          },
        }),
    });
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.step();
    const dueAt = world.row()?.dueAt ?? 0;
    expect([echoes > 0, world.row()?.dirty, dueAt > world.now]).toEqual([true, false, true]);
    const pod = world.pod();
    if (pod === undefined) throw new Error('gone');
    const post = () => world.post('delta', [keyOf(pod)]);
    expect([await world.count('groups.', post), await world.count('api.getPod', post)]).toEqual([0, 0]);
    expect(world.row()?.dueAt).toBe(dueAt);
    // Somebody else's change is read.
    world.deletePod();
    world.forgetPending();
    const deleting = world.pod();
    if (deleting === undefined) throw new Error('gone');
    expect(await world.count('api.getPod', () => world.post('delta', [keyOf(deleting)]))).toBeGreaterThan(0);
  });

  it('sweep and webhook together on twenty pods: twenty PUTs', async () => {
    const world = await createWorld();
    world.relay = false;
    const pods = [...Array(20).keys()].map((index) => world.createPod('exits-0', {}, { name: `p${index}` }));
    const [one, two] = pair(world);
    const cluster = [...two.clusters.values()][0];
    if (cluster === undefined) throw new Error('no cluster');
    await Promise.all([
      sweep(one, [nodeOf(one)], { resync: true }, signal),
      handlePodEvents(two, cluster, { epoch: 'e', seq: 1, kind: 'snapshot', pods: pods.map(keyOf) }, signal),
    ]);
    await world.run(60);
    expect(new Set(world.groups.puts()).size).toBe(20);
    expect(world.groups.puts()).toHaveLength(20);
    expect(pods.map((pod) => world.statusOf(pod.metadata.name))).toEqual(
      pods.map(() => 'Succeeded, main: Completed 0'),
    );
  });

  it('an instance that froze past its lock makes no call any more', async () => {
    const world: World = await createWorld();
    const pod = world.createPod('exits-0');
    world.forgetPending();
    const ref = { namespace: 'default', name: 'p', uid: pod.metadata.uid };
    // Its first write fails like that of an instance whose row another has taken meanwhile.
    const frozen = overtaken(world, 'api.listServices', ref);
    await reconcilePod(frozen, nodeOf(frozen), { ref }, signal);
    expect(world.groups.puts()).toHaveLength(1);
    await world.run(60);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Succeeded, main: Completed 0', 1]);
  });
});

describe('a PUT that comes to its end after its sender has lost the row', () => {
  it.each([
    ['accepted', undefined, { kind: 'accepted' }],
    ['of which nobody knows what became', { kind: 'transient', message: 'no answer' } as const, { kind: 'open' }],
  ])('%s, is asked to who has the row now: nothing that was seen before counts', async (_, fault, intent) => {
    const world: World = await createWorld();
    const pod = world.createPod('serves', { restartPolicy: 'Always' });
    world.forgetPending();
    const ref = { namespace: 'default', name: 'p', uid: pod.metadata.uid };
    if (fault !== undefined) world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault });
    // Another begins with the pod meanwhile, and has come to no PUT of its own.
    const late = overtaken(world, 'groups.createOrUpdate', ref);
    await reconcilePod(late, nodeOf(late), { ref }, signal);
    expect(world.row()).toMatchObject({ intent: { ...intent, at: world.now }, dueAt: world.now, lock: undefined });
    await world.run(90);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Running, main: running', 1]);
  });
});

describe('a sweep', () => {
  it('whose time is over leaves its rows due', async () => {
    const world = await createWorld();
    world.relay = false;
    for (let index = 0; index < 20; index += 1) world.createPod('exits-0', {}, { name: `p${index}` });
    const end = new AbortController();
    world.deps = hooked(world.deps, { after: (call) => void (call === 'groups.createOrUpdate' && end.abort()) });
    await sweep(world.deps, world.nodes(), { resync: true }, end.signal);
    expect(world.groups.puts().length).toBeLessThan(20);
    expect(world.rows().every((row) => row.dueAt !== undefined)).toBe(true);
    await world.run(200);
    expect(world.groups.puts()).toHaveLength(20);
    expect(new Set(world.groups.puts()).size).toBe(20);
  });

  it('is not held up by a pod that fails each time', async () => {
    const world = await createWorld();
    for (let index = 0; index < 10; index += 1) world.createPod('exits-0', {}, { name: `p${index}` });
    world.cluster.inject({
      method: 'patchPodStatus',
      moment: 'before',
      fault: { kind: 'transient', message: 'x' },
      times: 30,
    });
    await world.run(400);
    expect([...Array(10).keys()].map((index) => world.statusOf(`p${index}`))).toEqual(
      [...Array(10).keys()].map(() => 'Succeeded, main: Completed 0'),
    );
    expect(world.groups.puts()).toHaveLength(10);
  });
});

describe('conflicts of the status', () => {
  it('are decided again on a fresh pod, without another ARM call', async () => {
    let meddles = 2;
    const world: World = await createWorld({
      wrap: (deps) =>
        hooked(deps, {
          before: (call) => {
            if (call !== 'api.patchPodStatus' || meddles === 0) return;
            meddles -= 1;
            world.cluster.pods.setCondition(
              { namespace: 'default', name: 'p' },
              { type: 'example.com/c', status: 'True', reason: `R${meddles}` },
            );
          },
        }),
    });
    world.createPod('serves');
    world.calls.length = 0;
    world.relay = false;
    await world.sweep({ resync: true });
    world.now += 1_100;
    await world.sweep();
    world.now += 1_100;
    await world.sweep();
    expect(world.statusOf()).toBe('Pending, main: ContainerCreating');
    expect(world.calls.filter((call) => call === 'groups.createOrUpdate')).toHaveLength(1);
    expect(world.pod()?.status.conditions).toContainEqual(expect.objectContaining({ type: 'example.com/c' }));
  });

  it('that never end leave the pod due in a second, and no hot loop', async () => {
    const world = await createWorld();
    world.createPod('serves');
    const fault = { kind: 'conflict', code: 'Conflict', message: 'changed' } as const;
    world.cluster.inject({ method: 'patchPodStatus', moment: 'before', fault, times: 1000 });
    expect(await world.count('api.patchPodStatus', () => world.deliver())).toBeLessThanOrEqual(4);
    expect(Math.round(((world.row()?.dueAt ?? 0) - world.now) / 100)).toBe(10);
    expect(world.groups.puts()).toHaveLength(1);
  });
});

const nodeOf = (deps: World['deps']) => {
  const node = [...deps.clusters.values()][0]?.nodes.get('aci-1');
  if (node === undefined) throw new Error('no node');
  return node;
};
