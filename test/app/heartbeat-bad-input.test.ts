import { describe, expect, it } from 'vitest';
import { createObject } from '../../infra/local/sim/api-server/create.ts';
import { leases } from '../../infra/local/sim/api-server/resources.ts';
import { nodeSpec } from '../../shared/app/node-spec.ts';
import { isJsonObject } from '../../shared/core/json.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import { nodeTemplate } from '../../shared/core/node/node-status.ts';
import { noon } from '../fixtures/pods.ts';
import { hooked } from './hooks.ts';
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

describe('a heartbeat and bad input:', () => {
  const beats = async (world: World, count: number): Promise<void> => {
    for (let beat = 0; beat < count; beat += 1) {
      world.now += 15_000;
      await world.beat();
    }
  };
  const register = (world: World, labels: Readonly<Record<string, string>>): void => {
    const [registered] = world.settings.CLUSTERS[0]?.nodes ?? [];
    if (registered === undefined) throw new Error('no node is registered');
    registered.labels = labels;
    world.restart();
  };

  it('a Node that the API server refuses to create is reported once, in a sentence that names the field', async () => {
    const world = await createWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }] });
    register(world, { pool: 'not a value' });
    const posts = await world.count('api.createNode', () => beats(world, 40));
    expect([node(world), node(world, 'aci-2')?.metadata.name]).toEqual([undefined, 'aci-2']);
    expect(lease(world, 'aci-2')?.renewTimeMicros).toBe(world.now * 1000);
    expect(world.events()).toEqual([
      expect.stringMatching(
        /^FailedToCreateNode: The API server refuses to create this Node from its registration: Invalid: Node "aci-1" is invalid: metadata.labels: Invalid value: "not a value"/,
      ),
    ]);
    expect(world.warnings.map(({ message }) => message)).toEqual(['the API server refuses a change of the Node']);
    // One is the other node's.
    expect(posts).toBeLessThanOrEqual(8);
  });

  it('a Node is created at once when its registration is corrected', async () => {
    const world = await createWorld();
    register(world, { pool: 'not a value' });
    await beats(world, 20);
    register(world, { pool: 'a-value' });
    await beats(world, 1);
    expect(node(world)?.metadata.labels['pool']).toBe('a-value');
  });

  it.each([
    ['another owner’s', { 'serverless-kubelet.io/owner': 'other' }, '"other"'],
    ['nobody’s', {}, 'has no owner annotation'],
  ])('a Node that somebody makes between GET and POST, %s, is left alone', async (_what, annotations, words) => {
    const world: World = await createWorld({
      wrap: (deps) =>
        hooked(deps, { before: (call) => void (call === 'api.createNode' && makeNode(world, annotations)) }),
    });
    await world.beat();
    const before = node(world);
    await beats(world, 2);
    expect(before?.metadata.annotations).toEqual(annotations);
    expect([node(world), lease(world), world.events()]).toEqual([before, undefined, []]);
    const said = new Set(world.warnings.map(({ message, fields }) => `${message}: ${String(fields?.['message'])}`));
    expect([...said]).toEqual([expect.stringContaining(words)]);
  });

  it('a Node that another of our processes makes between GET and POST is ours, in the same beat', async () => {
    const world: World = await createWorld({
      wrap: (deps) =>
        hooked(deps, {
          before: (call) =>
            void (call === 'api.createNode' && makeNode(world, { 'serverless-kubelet.io/owner': 'sk' })),
        }),
    });
    await world.beat();
    expect([lease(world)?.ownerUid, world.warnings]).toEqual([node(world)?.metadata.uid, []]);
  });

  it.each<[string, JsonObject]>([
    ['without a spec', {}],
    ['that was never renewed', { spec: { holderIdentity: 'aci-1', leaseDurationSeconds: 40 } }],
    ['of another holder', { spec: { holderIdentity: 'other', renewTime: '2026-11-23T11:59:59.000000Z' } }],
    [
      'that another renews, and of another duration',
      { spec: { holderIdentity: 'other', leaseDurationSeconds: 3600, renewTime: '2026-11-23T12:00:14.000000Z' } },
    ],
    [
      'of another Node',
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'aci-1', uid: 'x' }] } },
    ],
  ])('a Lease %s is fixed', async (_what, half) => {
    const world = await createWorld();
    await world.beat();
    world.cluster.nodes.deleteLease('aci-1');
    makeLease(world, half);
    await beats(world, 1);
    expect(lease(world)).toMatchObject({
      ownerUid: node(world)?.metadata.uid,
      holderIdentity: 'aci-1',
      leaseDurationSeconds: 40,
      renewTimeMicros: world.now * 1000,
    });
    expect(world.warnings).toEqual([]);
  });

  it('a Lease of another holder whose time is ahead does not go back', async () => {
    const world = await createWorld();
    await world.beat();
    world.cluster.nodes.deleteLease('aci-1');
    makeLease(world, { spec: { holderIdentity: 'other', renewTime: '2026-11-23T12:00:16.500000Z' } });
    await beats(world, 1);
    const ahead = Date.parse('2026-11-23T12:00:16.500Z') * 1000;
    expect(lease(world)).toMatchObject({ holderIdentity: 'aci-1', renewTimeMicros: ahead });
  });

  it.each(['draining', 'removed'] as const)('a Node of another owner is left alone when ours is %s', async (state) => {
    const world = await createWorld({ nodes: [{ name: 'aci-1', state }] });
    makeNode(world, { 'serverless-kubelet.io/owner': 'other' });
    const theirs = node(world);
    world.cluster.nodes.createLease({
      name: 'aci-1',
      ...(theirs === undefined ? {} : { ownerUid: theirs.metadata.uid }),
      holderIdentity: 'aci-1',
      leaseDurationSeconds: 40,
      renewTimeMicros: noon * 1000,
    });
    const before = [theirs, lease(world)];
    await world.sweep();
    await beats(world, 1);
    await world.sweep();
    expect([node(world), lease(world)]).toEqual(before);
  });
});

function makeNode(world: World, annotations: Readonly<Record<string, string>>): void {
  const template = nodeTemplate(nodeSpec(world.nodeDeps()), noon);
  world.cluster.nodes.create({ ...template, annotations });
}

/** As somebody POSTs it who may. */
function makeLease(world: World, half: JsonObject): void {
  const target = { user: undefined, resource: leases, subresource: '', namespace: 'kube-node-lease', name: '' };
  const { metadata } = half;
  const created = createObject(world.cluster.state(), target, {
    ...half,
    metadata: { ...(isJsonObject(metadata) ? metadata : {}), name: 'aci-1' },
  });
  if (!created.ok) throw new Error(created.refusal.message);
}
