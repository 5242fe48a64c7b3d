import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeDeps } from '../../shared/app/deps.ts';
import { heartbeat } from '../../shared/app/heartbeat.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { KubeNode } from '../../shared/core/kubernetes/node.ts';
import { noon } from '../fixtures/pods.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const lease = (world: World, name = 'aci-1') => {
  const found = world.cluster.nodes.getLease(name);
  return found.ok ? found.value : undefined;
};
const node = (world: World, name = 'aci-1') => {
  const found = world.cluster.nodes.get(name);
  return found.ok ? found.value : undefined;
};

describe('heartbeat', () => {
  it('creates Node and Lease with the first beat', async () => {
    const world = await createWorld();
    await world.beat();
    expect(node(world)).toMatchObject({
      taints: [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }],
      metadata: { labels: { type: 'virtual-kubelet', 'kubernetes.azure.com/managed': 'false' } },
    });
    expect(lease(world)).toMatchObject({ ownerUid: node(world)?.metadata.uid, renewTimeMicros: noon * 1000 });
  });

  it('reports the version of the package', async () => {
    const world = await createWorld();
    await world.beat();
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));
    expect(node(world)?.status.nodeInfo['kubeletVersion']).toBe(`v1.36.3-aci.${version}`);
  });

  it('renews the Lease with each beat, never ahead of the API server’s time and never back', async () => {
    const world = await createWorld();
    let last = 0;
    for (let beat = 0; beat < 20; beat += 1) {
      await world.beat();
      const renewed = lease(world)?.renewTimeMicros ?? 0;
      expect(renewed).toBeLessThanOrEqual(world.now * 1000);
      expect(renewed).toBeGreaterThanOrEqual(last);
      expect(world.now - renewed / 1000).toBeLessThan(16_000);
      last = renewed;
      world.now += 7_400;
    }
  });

  it('leaves alone a Lease that the relay has just renewed', async () => {
    const world = await createWorld();
    await world.beat();
    world.now += 15_000;
    const before = lease(world);
    if (before === undefined) throw new Error('no lease');
    world.cluster.nodes.updateLease({ ...before, renewTimeMicros: (world.now - 2_000) * 1000 });
    expect(await world.count('api.updateLease', () => world.beat())).toBe(0);
    world.now += 15_000;
    expect(await world.count('api.updateLease', () => world.beat())).toBe(1);
  });

  it('writes the Node’s status every five minutes, not with each beat', async () => {
    const world = await createWorld();
    await world.beat();
    const patches = await world.count('api.patchNodeStatus', async () => {
      for (let beat = 0; beat < 60; beat += 1) {
        world.now += 15_000;
        await world.beat();
      }
    });
    expect(patches).toBe(3);
  });

  it('creates a deleted Node again, with a Lease of the new one', async () => {
    const world = await createWorld();
    await world.beat();
    const first = node(world)?.metadata.uid;
    world.cluster.nodes.delete('aci-1');
    world.now += 15_000;
    await world.beat();
    expect(node(world)?.metadata.uid).not.toBe(first);
    expect(lease(world)?.ownerUid).toBe(node(world)?.metadata.uid);
  });

  it.each(['draining', 'removed'] as const)('does not create a node that is %s', async (state) => {
    const world = await createWorld({ nodes: [{ name: 'aci-1', state }] });
    await world.beat();
    expect([node(world), lease(world)]).toEqual([undefined, undefined]);
  });

  it.each([
    ['left', fail({ kind: 'denied', code: 'NodeNotRegistered', message: 'the node is not registered' })],
    ['may have left: nobody knows', fail({ kind: 'transient', message: 'no answer' })],
    ['is draining', 'draining'],
    ['is removed', 'removed'],
  ] as const)('does not create a node of which this process has not heard yet that it %s', async (_what, now) => {
    const world = await createWorld();
    const confirmed = typeof now === 'string' ? ok({ ...world.nodeDeps().registration, state: now }) : now;
    world.deps = { ...world.deps, confirmNode: () => Promise.resolve(confirmed) };
    await world.beat();
    expect([node(world), lease(world)]).toEqual([undefined, undefined]);
  });

  it('writes nothing of a Node that is another owner’s, and says so', async () => {
    const world = await createWorld();
    const other = await createWorld({ settings: { INSTALLATION: 'other' } });
    await other.beat();
    const theirs = node(other);
    if (theirs === undefined) throw new Error('no node');
    world.cluster.nodes.create({ ...theirs, ...theirs.metadata });
    const before = node(world);
    await world.beat();
    expect([node(world), lease(world)]).toEqual([before, undefined]);
    expect(world.warnings).toContainEqual({
      message: 'node name is taken by another owner; nothing of it is written',
      fields: expect.objectContaining({ message: expect.stringContaining('"other"') }),
    });
  });

  it('of one node is not held up by another’s trouble', async () => {
    const world = await createWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }] });
    world.cluster.inject({ method: 'getNode', moment: 'before', fault: { kind: 'transient', message: 'away' } });
    await world.beat();
    expect([node(world, 'aci-1'), lease(world, 'aci-2')?.name]).toEqual([undefined, 'aci-2']);
    expect(world.warnings.map(({ message }) => message)).toEqual(['heartbeat failed']);
  });

  it('of two instances at once is one Node, one Lease and no warning', async () => {
    const world = await createWorld();
    const beats = [world.newInstance(), world.newInstance()].map((deps) =>
      heartbeat(
        deps,
        [...deps.clusters.values()].flatMap(({ nodes }) => [...nodes.values()]),
        new AbortController().signal,
      ),
    );
    await Promise.all(beats);
    await world.beat();
    expect([node(world)?.metadata.name, lease(world)?.ownerUid === node(world)?.metadata.uid]).toEqual(['aci-1', true]);
  });

  it('fixes a Node that lost its Ready condition', async () => {
    const world = await createWorld();
    await world.beat();
    const status = node(world)?.status;
    if (status === undefined) throw new Error('no node');
    world.cluster.nodes.patchStatus('aci-1', {
      ...status,
      conditions: status.conditions.map((one) => (one.type === 'Ready' ? { ...one, status: 'Unknown' as const } : one)),
    });
    await world.beat();
    expect(node(world)?.status.conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');
  });
});

it('an API server that drops what a Node declares is told once, and then with what is written anyway', async () => {
  const world = await createWorld();
  await world.post('tick');
  const registered = world.nodeDeps();
  const { api } = registered;
  const known = await world.store.getNode(registered.key);
  if (!known.ok || known.value === undefined) throw new Error('the node has a row');
  const row = { ...known.value.value, relayFeatures: ['ExtendWebSocketsToKubelet'] };
  await world.store.upsertNode(registered.key, row, known.value);
  let written = 0;
  const without = (found: Result<KubeNode>): Result<KubeNode> =>
    found.ok ? ok({ ...found.value, status: { ...found.value.status, declaredFeatures: [] } }) : found;
  const old: NodeDeps = {
    ...registered,
    api: {
      ...api,
      getNode: async (signal) => without(await api.getNode(signal)),
      patchNodeStatus: async (patch, signal) => {
        written += 1;
        return without(await api.patchNodeStatus(patch, signal));
      },
    },
  };
  const beat = async (afterMs: number): Promise<void> => {
    world.now += afterMs;
    await heartbeat(world.deps, [old], new AbortController().signal);
  };
  for (const afterMs of [15_000, 15_000, 15_000]) await beat(afterMs);
  expect(written).toBe(1);
  await beat(301_000);
  expect(written).toBe(2);
});
