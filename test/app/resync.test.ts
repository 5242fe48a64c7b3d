import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { describe, expect, it } from 'vitest';
import { hooked } from './hooks.ts';
import { clusterUid } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

/** Creates `count` serving pods and waits until they run. */
async function withPods(world: World, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    world.createPod('serves', { restartPolicy: 'Always' }, { name: `p${index}` });
  await world.run(60);
}

const all = (count: number): readonly number[] => [...Array(count).keys()];

describe('all tables emptied', () => {
  it('nothing runs twice, nothing is PUT for a minute, and new pods start after it', async () => {
    const world = await createWorld();
    await withPods(world, 3);
    world.createPod('exits-0', {}, { name: 'young' });
    await world.run(1);
    world.createPod('exits-0', {}, { name: 'new' });
    world.store.clear();
    const before = world.groups.puts().length;
    await world.run(55);
    expect(world.groups.puts()).toHaveLength(before);
    await world.run(100);
    expect(world.groups.puts()).toHaveLength(before + 1);
    expect(new Set(world.groups.puts()).size).toBe(world.groups.puts().length);
    expect(all(3).map((index) => world.statusOf(`p${index}`))).toEqual(all(3).map(() => 'Running, main: running'));
    expect([world.statusOf('young'), world.statusOf('new')]).toEqual([
      'Succeeded, main: Completed 0',
      'Succeeded, main: Completed 0',
    ]);
    expect(world.rows()).toHaveLength(5);
  });

  it('a pod that had started and whose group is gone is lost, not new', async () => {
    const world = await createWorld();
    world.createPod('serves');
    await world.run(60);
    world.groups.removeGroup(world.groups.names()[0] ?? '');
    world.store.clear();
    await world.run(200);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Failed, main: ContainerStatusUnknown 137', 1]);
  });

  it('orphans go, and what was being deleted is deleted', async () => {
    const world = await createWorld();
    await withPods(world, 2);
    world.deletePod('p0', 0);
    world.deletePod('p1');
    world.forgetPending();
    world.store.clear();
    await world.run(330);
    expect([world.groups.names(), world.rows(), world.pod('p1')]).toEqual([[], [], undefined]);
  });

  it('between the intent and the PUT stops the PUT', async () => {
    const world: World = await createWorld({
      wrap: (deps) => hooked(deps, { after: (call) => void (call === 'api.listServices' && world.store.clear()) }),
    });
    world.createPod('exits-0');
    await world.run(50);
    expect(world.groups.puts()).toEqual([]);
  });
});

describe('orphans', () => {
  it('a few go at the next resync', async () => {
    const world = await createWorld();
    await withPods(world, 3);
    for (const index of all(3)) world.cluster.pods.remove({ namespace: 'default', name: `p${index}` });
    world.forgetPending();
    world.store.clear();
    await world.run(330);
    expect(world.groups.names()).toEqual([]);
  });

  it('many at once wait ten minutes, with a warning', async () => {
    const world = await createWorld();
    await withPods(world, 8);
    for (const index of all(8)) world.cluster.pods.remove({ namespace: 'default', name: `p${index}` });
    world.forgetPending();
    world.store.clear();
    await world.run(500);
    expect(world.groups.names()).toHaveLength(8);
    expect(world.warnings.map(({ message }) => message)).toContain(
      'orphan brake: many container groups have no pod and are kept for ten minutes',
    );
    await world.run(500);
    expect([world.groups.names(), world.rows()]).toEqual([[], []]);
  });

  it('stay when the cluster behind the address is another one', async () => {
    const world = await createWorld();
    await withPods(world, 2);
    world.cluster.rebuild('99999999-0000-4000-8000-000000000009');
    await world.run(1300);
    expect(world.groups.names()).toHaveLength(2);
    expect(world.calls.filter((call) => /^groups\.(delete|stop)/.test(call))).toEqual([]);
    expect(world.warnings.map(({ message }) => message)).toContain(
      'cluster has another UID than the one attached; its groups are left alone',
    );
  });

  it('are not made by an incomplete list', async () => {
    const world = await createWorld();
    await withPods(world, 2);
    world.cluster.inject({
      method: 'listPods',
      moment: 'before',
      fault: { kind: 'transient', message: 'cut off' },
      times: 3,
    });
    world.store.clear();
    await world.run(600);
    expect([world.groups.names().length, world.groups.puts().length]).toEqual([2, 2]);
  });

  it('of clusters and nodes that nobody knows are reported and kept', async () => {
    const world = await createWorld();
    await withPods(world, 1);
    const body = world.groups.readGroup(world.groups.names()[0] ?? '')?.body;
    if (body === undefined) throw new Error('no group');
    const ofCluster = (cluster: string) => ({ ...body, tags: { ...body.tags, 'kubernetes-cluster': cluster } });
    world.groups.addGroup({ name: 'strange', body: ofCluster('x') });
    world.groups.addGroup({ name: 'strange-too', body: ofCluster('x') });
    world.groups.addGroup({ name: 'stranger', body: ofCluster('y') });
    world.groups.addGroup({
      name: 'not-ours',
      body: { ...ofCluster('z'), tags: { ...ofCluster('z').tags, 'serverless-kubelet-installation': 'other' } },
    });
    world.groups.addGroup({ name: 'no-tags', body: { ...body, tags: {} } });
    world.warnings.length = 0;
    await world.run(1300);
    expect(world.groups.names()).toContain('strange');
    expect(world.groups.names()).toContain('no-tags');
    const reported = world.warnings.filter(
      ({ message }) => message === 'container groups of unknown clusters or nodes exist',
    );
    // Once a resync, every five minutes, for each cluster.
    expect(reported.length).toBeLessThanOrEqual(10);
    expect(reported.slice(0, 2).map(({ fields }) => fields)).toEqual([
      { cluster: 'x', groups: 2, first: 'strange' },
      { cluster: 'y', groups: 1, first: 'stranger' },
    ]);
  });

  it('of another node of the cluster are that node’s business', async () => {
    const world = await createWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }] });
    world.createPod('serves', { restartPolicy: 'Always' }, { nodeName: 'aci-2' });
    await world.run(700);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Running, main: running', 1]);
    expect([world.rows('aci-1').length, world.rows('aci-2').length]).toEqual([0, 1]);
  });
});

describe('a pod that changed unseen', () => {
  it('deleted while the relay was down is ended by the sweep', async () => {
    const world = await createWorld();
    await withPods(world, 1);
    world.relay = false;
    world.deletePod('p0');
    await world.run(120);
    expect([world.statusOf('p0'), world.groups.names(), world.rows()]).toEqual(['gone', [], []]);
  });
});

describe('a node that is taken out', () => {
  it('its pods go gracefully, then Lease and Node, and nothing comes back', async () => {
    const world = await createWorld();
    await world.beat();
    world.createPod('serves', { restartPolicy: 'Always' });
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd-uid', controller: true };
    world.createPod('serves', { hostNetwork: true }, { name: 'daemon', ownerReferences: [owner] });
    await world.run(60);
    removeNode(world);
    await world.run(120);
    expect([world.statusOf(), world.groups.names()]).toEqual(['gone', []]);
    expect([world.cluster.nodes.get('aci-1').ok, world.cluster.nodes.getLease('aci-1').ok]).toEqual([false, false]);
    await world.beat();
    await world.run(700);
    await world.beat();
    expect([world.cluster.nodes.get('aci-1').ok, world.cluster.nodes.getLease('aci-1').ok]).toEqual([false, false]);
  });

  it('takes a DaemonSet’s pod with it that has a group', async () => {
    const world = await createWorld();
    await world.beat();
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd-uid', controller: true };
    world.createPod('serves', { restartPolicy: 'Always' }, { name: 'daemon', ownerReferences: [owner] });
    await world.run(60);
    removeNode(world);
    await world.run(120);
    expect([world.groups.names(), world.cluster.nodes.get('aci-1').ok]).toEqual([[], false]);
  });

  it('starts nothing that is bound at the last moment', async () => {
    const world = await createWorld({ nodes: [{ name: 'aci-1', state: 'removed' }] });
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(120);
    expect([world.statusOf(), world.groups.puts()]).toEqual(['gone', []]);
  });

  it('is left alone when the cluster is another one', async () => {
    const world = await createWorld();
    await world.beat();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(60);
    world.cluster.rebuild('99999999-0000-4000-8000-000000000009');
    removeNode(world);
    await world.beat();
    world.createPod('serves', { restartPolicy: 'Always' }, { name: 'theirs' });
    world.forgetPending();
    await world.run(20);
    expect(world.calls.filter((call) => call === 'api.deletePod')).toEqual([]);
  });

  it('keeps its Lease while it cannot be read', async () => {
    const world = await createWorld();
    await world.beat();
    removeNode(world);
    const fault = { kind: 'transient', message: 'reset' } as const;
    world.cluster.inject({ method: 'getNode', moment: 'before', fault });
    await world.sweep();
    expect(world.cluster.nodes.getLease('aci-1').ok).toBe(true);
  });
});

/** The operator sets the node's state to `removed`. */
function removeNode(world: World): void {
  const [cluster] = world.settings.CLUSTERS;
  for (const node of cluster?.nodes ?? []) node.state = 'removed';
  world.restart();
}

describe('resync', () => {
  it('writes down that it took place, whoever else writes the row', async () => {
    let meddles = false;
    const key = { cluster: clusterUid, node: 'aci-1' };
    // The relay's note comes between the resync's read and its write.
    const meddle = async (call: string): Promise<void> => {
      if (!meddles || call !== 'groups.listUsages') return;
      meddles = false;
      const row = await world.store.getNode(key);
      if (row.ok && row.value !== undefined)
        await world.store.upsertNode(key, { ...row.value.value, relayHeardAt: world.now }, row.value);
    };
    const world: World = await createWorld({ wrap: (deps) => hooked(deps, { after: meddle }) });
    await world.run(1);
    world.now += 301_000;
    meddles = true;
    await world.sweep();
    const row = await world.store.getNode(key);
    expect(row.ok && row.value?.value).toMatchObject({ relayHeardAt: world.now, resyncedAt: world.now });
  });

  it('makes a pod due that has no row, by name and UID', async () => {
    const world = await createWorld();
    world.relay = false;
    const pod = world.createPod('serves');
    await world.sweep({ resync: true });
    expect(world.row()).toMatchObject({ uid: pod.metadata.uid, name: keyOf(pod).name });
  });
});
