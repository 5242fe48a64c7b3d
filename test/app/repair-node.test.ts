import { describe, expect, it } from 'vitest';
import { heartbeat } from '../../shared/app/heartbeat.ts';
import type { Fault } from '../../shared/core/fault.ts';
import type { KubeNode, NodeChange } from '../../shared/core/kubernetes/node.ts';
import { hooked } from './hooks.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const provider = { key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' };
const theirs = { key: 'example.com/theirs', effect: 'NoSchedule' };
const unreachable = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: '2026-11-23T11:00:00Z' };
const forbidden: Fault = {
  kind: 'denied',
  code: 'Forbidden',
  message: 'nodes "aci-1" is forbidden: User "app" cannot patch resource "nodes"',
};

function node(world: World): KubeNode {
  const found = world.cluster.nodes.get('aci-1');
  if (!found.ok) throw new Error('no node');
  return found.value;
}

/** Somebody changes the Node. */
function change(world: World, changes: NodeChange): void {
  const patched = world.cluster.nodes.patch(node(world), changes);
  if (!patched.ok) throw new Error(patched.fault.message);
}

/** The operator changes the registration; every process hears of it. */
function register(world: World, changes: Partial<World['settings']['CLUSTERS'][number]['nodes'][number]>): void {
  const [registered] = world.settings.CLUSTERS[0]?.nodes ?? [];
  if (registered === undefined) throw new Error('no node is registered');
  Object.assign(registered, changes);
  world.restart();
}

const isCordoned = (world: World): boolean => node(world).unschedulable;
const leaseAge = (world: World): number => {
  const lease = world.cluster.nodes.getLease('aci-1');
  return lease.ok ? world.now - lease.value.renewTimeMicros / 1000 : Infinity;
};
const labels = (world: World): Readonly<Record<string, string>> => node(world).metadata.labels;

/** What the tables remember. */
async function refusals(world: World): Promise<unknown> {
  const row = await world.store.getNode(world.nodeDeps().key);
  return row.ok ? row.value?.value.refusals : row.fault;
}

async function beats(world: World, count: number): Promise<void> {
  for (let beat = 0; beat < count; beat += 1) {
    world.now += 15_000;
    await world.beat();
  }
}

async function standing(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = await createWorld(options);
  await world.beat();
  return world;
}

describe('the next beat fixes', () => {
  it('a lost managed=false, whatever else is on the Node', async () => {
    const world = await standing();
    change(world, { labels: { 'kubernetes.azure.com/managed': 'true', 'example.com/theirs': 'x' } });
    await beats(world, 1);
    expect(labels(world)).toMatchObject({ 'kubernetes.azure.com/managed': 'false', 'example.com/theirs': 'x' });
  });

  it('a lost taint, and keeps those of other owners', async () => {
    const world = await standing();
    change(world, { taints: [unreachable, theirs] });
    await beats(world, 1);
    expect(node(world).taints).toEqual([unreachable, theirs, provider]);
  });

  it('a taint that the registration does not want any more, and keeps those of other owners', async () => {
    const world = await standing();
    change(world, { taints: [theirs, provider] });
    register(world, { taint: false });
    await beats(world, 1);
    expect(node(world).taints).toEqual([theirs]);
  });

  it('labels that are new in the registration; one that was taken out stays', async () => {
    const world = await standing();
    register(world, { labels: { pool: 'batch', team: 'a' } });
    await beats(world, 1);
    register(world, { labels: { pool: 'web' } });
    await beats(world, 1);
    expect(labels(world)).toMatchObject({ pool: 'web', team: 'a' });
  });

  it('a zone that was changed in the registration', async () => {
    const world = await standing();
    register(world, { zone: '2' });
    await beats(world, 1);
    expect(labels(world)['topology.kubernetes.io/zone']).toBe('westeurope-2');
  });

  it('nothing, and asks nobody, when nothing is lost', async () => {
    const world = await standing();
    const before = node(world);
    expect(await world.count('cluster.', () => beats(world, 3))).toBe(0);
    expect(node(world)).toEqual(before);
  });
});

describe('a label that a node may not give itself', () => {
  const restricted = { 'kubernetes.io/role': 'agent', 'node-restriction.kubernetes.io/team': 'a' };

  it('comes with the first beat, and again when the Node is made anew', async () => {
    const world = await createWorld();
    register(world, { labels: restricted });
    await world.beat();
    expect(labels(world)).toMatchObject({ ...restricted, 'kubernetes.azure.com/managed': 'false' });
    world.cluster.nodes.delete('aci-1');
    await beats(world, 1);
    expect(labels(world)).toMatchObject(restricted);
  });
});

describe('the cordon', () => {
  it.each(['sweep', 'beat'] as const)(
    'of a node that drained, by the %s, is taken back when it is active again',
    async (by) => {
      const world = await standing();
      register(world, { state: 'draining' });
      await world[by]();
      expect(isCordoned(world)).toBe(true);
      register(world, { state: 'active' });
      await beats(world, 1);
      expect([isCordoned(world), node(world).metadata.annotations]).toEqual([
        false,
        { 'serverless-kubelet.io/owner': 'sk' },
      ]);
    },
  );

  it('of an operator stays, before, while and after the node drains', async () => {
    const world = await standing();
    change(world, { unschedulable: true });
    for (const state of ['active', 'draining', 'active'] as const) {
      register(world, { state });
      await world.sweep();
      await beats(world, 2);
      expect(isCordoned(world)).toBe(true);
    }
  });

  it('of an operator stays whose cordon comes after ours was taken back', async () => {
    const world = await standing();
    register(world, { state: 'draining' });
    await world.beat();
    change(world, { unschedulable: false });
    register(world, { state: 'active' });
    await beats(world, 1);
    change(world, { unschedulable: true });
    await beats(world, 2);
    expect(isCordoned(world)).toBe(true);
  });

  it('is not taken back by a process that has not heard that the node drains', async () => {
    const world = await standing();
    const late = world.newInstance();
    register(world, { state: 'draining' });
    await world.beat();
    const stale = { ...world.nodeDeps().registration, state: 'active' as const };
    const before = { ...world.nodeDeps(), registration: stale };
    world.now += 15_000;
    await heartbeat(late, [before], new AbortController().signal);
    expect(isCordoned(world)).toBe(true);
  });
});

describe('what the API server refuses to fix', () => {
  const sentence =
    'FailedToUpdateNode: The API server refuses to set on this Node the labels kubernetes.azure.com/managed: Forbidden: nodes "aci-1" is forbidden: User "app" cannot patch resource "nodes"';
  const lost = { labels: { 'kubernetes.azure.com/managed': 'true' } };

  it('is reported in one event of the Node and one line of the log; the Lease is renewed all the same', async () => {
    const world = await standing();
    change(world, lost);
    world.cluster.inject({ method: 'patchNode', moment: 'before', fault: forbidden, times: 1000 });
    const asked = await world.count('cluster.patchNode', () => beats(world, 80));
    expect(world.events()).toEqual([sentence]);
    expect(world.cluster.events()[0]).toMatchObject({
      type: 'Warning',
      involved: { kind: 'Node', name: 'aci-1', uid: 'aci-1' },
    });
    const what = 'set on this Node the labels kubernetes.azure.com/managed';
    expect(world.warnings).toEqual([
      { message: 'the API server refuses a change of the Node', fields: expect.objectContaining({ change: what }) },
    ]);
    expect(leaseAge(world)).toBeLessThan(5_000);
    // 20 minutes: 30 s apart at first, 10 minutes at most.
    expect(asked).toBeGreaterThanOrEqual(5);
    expect(asked).toBeLessThanOrEqual(10);
  });

  it('is held back by every process, and fixed when the right is there', async () => {
    const world = await standing();
    change(world, lost);
    world.cluster.inject({ method: 'patchNode', moment: 'before', fault: forbidden, times: 3 });
    await beats(world, 4);
    world.restart();
    expect(await world.count('cluster.patchNode', () => world.beat())).toBe(0);
    expect(await refusals(world)).toEqual({ 'own-labels': expect.objectContaining({ times: 2 }) });
    await beats(world, 40);
    expect(labels(world)['kubernetes.azure.com/managed']).toBe('false');
    expect(await refusals(world)).toEqual({});
  });

  it('in one part holds up no other', async () => {
    const world = await standing();
    change(world, { ...lost, taints: [] });
    world.cluster.inject({ method: 'patchNode', moment: 'before', fault: forbidden });
    await beats(world, 1);
    expect([labels(world)['kubernetes.azure.com/managed'], node(world).taints]).toEqual(['true', [provider]]);
  });

  it('status is written too', async () => {
    const world = await standing();
    change(world, lost);
    world.cluster.inject({ method: 'patchNode', moment: 'before', fault: forbidden, times: 1000 });
    register(world, { address: '10.0.0.99' });
    await beats(world, 1);
    expect(node(world).status.addresses).toEqual([{ type: 'InternalIP', address: '10.0.0.99' }]);
  });

  it('a label of the registration that is none is named, and holds up neither our labels nor the taint', async () => {
    const world = await standing();
    change(world, { ...lost, taints: [theirs] });
    register(world, { labels: { pool: 'not a value', team: 'a' } });
    await beats(world, 8);
    expect(labels(world)['kubernetes.azure.com/managed']).toBe('false');
    expect(node(world).taints).toEqual([theirs, provider]);
    expect(labels(world)['pool']).toBeUndefined();
    expect(world.events()).toEqual([
      expect.stringMatching(
        /^FailedToUpdateNode: The API server refuses to set on this Node the labels pool, team of its registration: Invalid: Node "aci-1" is invalid: metadata.labels: Invalid value: "not a value"/,
      ),
    ]);
    expect(leaseAge(world)).toBeLessThan(5_000);
  });

  it('is tried at once when the registration is corrected', async () => {
    const world = await standing();
    register(world, { labels: { pool: 'not a value' } });
    await beats(world, 8);
    register(world, { labels: { pool: 'a-value' } });
    await beats(world, 1);
    expect(labels(world)['pool']).toBe('a-value');
  });

  it('a webhook that numbers its refusals is one event', async () => {
    const world = await standing();
    change(world, lost);
    for (let time = 0; time < 4; time += 1) {
      const message = `admission webhook "v" denied the request: (UID: 00000000-0000-4000-8000-00000000000${time}) no`;
      const fault: Fault = { kind: 'rejected', code: 'HTTP400', message };
      world.cluster.inject({ method: 'patchNode', moment: 'before', fault, skip: 0 });
    }
    await beats(world, 40);
    expect(world.events()).toHaveLength(1);
    expect(labels(world)['kubernetes.azure.com/managed']).toBe('false');
  });

  it('what passes is no refusal: no event, and it is fixed with the next beat', async () => {
    const world = await standing();
    for (const fault of [
      { kind: 'transient', message: 'reset' },
      { kind: 'throttled', retryAfterMs: 1000, message: 'slow down' },
    ] as const) {
      change(world, lost);
      world.cluster.inject({ method: 'patchNode', moment: 'before', fault });
      await beats(world, 1);
      expect([leaseAge(world) < 5_000, labels(world)['kubernetes.azure.com/managed']]).toEqual([true, 'true']);
      await beats(world, 1);
      expect(labels(world)['kubernetes.azure.com/managed']).toBe('false');
    }
    expect(world.events()).toEqual([]);
  });

  it('a change of somebody else in between is not lost, and silent', async () => {
    let meddles = true;
    const meddle = (call: string): void => {
      if (!meddles || call !== 'cluster.patchNode') return;
      meddles = false;
      change(world, { taints: [...node(world).taints, theirs] });
    };
    const world: World = await standing({ wrap: (deps) => hooked(deps, { before: meddle }) });
    change(world, { taints: [unreachable] });
    await beats(world, 2);
    expect(node(world).taints).toEqual([unreachable, theirs, provider]);
    expect([world.warnings, world.events()]).toEqual([[], []]);
  });
});
