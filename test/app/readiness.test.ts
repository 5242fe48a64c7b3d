import { describe, expect, it } from 'vitest';
import type { ReadinessReport } from '../../shared/core/status/readiness.ts';
import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const subnet = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/pods';
const readinessProbe = { httpGet: { port: 80 } };

async function serving(image: 'serves' | 'exits-0' = 'serves'): Promise<World> {
  const world = await createWorld({ settings: { ACI_SUBNET_ID: subnet } });
  const containers = [{ name: 'main', image, readinessProbe }];
  world.createPod(image, { restartPolicy: 'Always', containers });
  await world.run(30);
  return world;
}

const status = (world: World) => world.pod()?.status.containerStatuses[0];
const startedAt = (world: World): string => {
  const state = status(world)?.state;
  return state?.kind === 'running' ? state.startedAt : 'not running';
};

/** What the status says: of the container, then of the pod. */
const shown = (world: World): string => {
  const said = (type: string): string =>
    world.pod()?.status.conditions.find((condition) => condition.type === type)?.status ?? 'none';
  return `${status(world)?.ready} ${said('ContainersReady')} ${said('Ready')}`;
};

async function report(world: World, changes: Partial<ReadinessReport> = {}): Promise<void> {
  const pod = world.pod();
  if (pod === undefined) throw new Error('no pod');
  const one = { container: 'main', startedAt: startedAt(world), ready: true, ...changes };
  await world.post('delta', [{ ...keyOf(pod), readiness: [one] }]);
}

describe('a container with a readiness probe', () => {
  it('is not ready before the relay says so, and then at once, without a call of ARM', async () => {
    const world = await serving();
    expect(shown(world)).toBe('false False False');
    expect(await world.count('groups.', () => report(world))).toBe(0);
    expect(shown(world)).toBe('true True True');
  });

  it('keeps the last word while nobody probes it', async () => {
    const world = await serving();
    await report(world);
    await world.run(300);
    await world.sweep({ resync: true });
    await world.run(60);
    expect(shown(world)).toBe('true True True');
  });

  it('says in the message of Ready since when nobody probes it, and no more when the relay calls again', async () => {
    const world = await serving();
    await report(world);
    const ready = () => world.pod()?.status.conditions.find(({ type }) => type === 'Ready');
    const since = ready()?.lastTransitionTime;
    world.relay = false;
    await world.run(100);
    expect(ready()?.message).toBeUndefined();
    expect(await world.count('api.patchPodStatus', () => world.run(600))).toBe(1);
    expect(ready()).toMatchObject({ status: 'True', lastTransitionTime: since });
    expect(ready()?.message).toMatch(
      /^the relay, which probes readiness, has not called since 2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ: this is what it found last$/,
    );
    world.relay = true;
    expect(await world.count('api.patchPodStatus', () => world.run(200))).toBe(1);
    expect(ready()).toMatchObject({ status: 'True', lastTransitionTime: since });
    expect(ready()?.message).toBeUndefined();
  });

  it('says so behind why it is not ready, and no more with the first report', async () => {
    const world = await serving();
    await report(world, { ready: false, message: 'HTTP probe failed with statuscode: 503' });
    world.relay = false;
    await world.run(300);
    const message = world.pod()?.status.conditions.find(({ type }) => type === 'Ready')?.message;
    expect(message).toMatch(
      /^containers with unready status: \[main\]; the relay, which probes readiness, has not called/,
    );
    await report(world, { ready: false });
    expect(world.pod()?.status.conditions.find(({ type }) => type === 'Ready')?.message).toBe(message);
    await report(world);
    expect(world.pod()?.status.conditions.find(({ type }) => type === 'Ready')?.message).toBeUndefined();
  });

  it('is no longer ready when a probe fails, and an event says why', async () => {
    const world = await serving();
    await report(world);
    await report(world, { ready: false, message: 'HTTP probe failed with statuscode: 503' });
    expect(shown(world)).toBe('false False False');
    expect(world.events('Unhealthy')).toEqual([
      'Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503',
    ]);
  });

  it('is reported while it was never ready', async () => {
    const world = await serving();
    await report(world, { ready: false, message: 'refused' });
    expect([shown(world), world.events('Unhealthy')]).toEqual([
      'false False False',
      ['Unhealthy: Readiness probe failed: refused'],
    ]);
  });

  it.each<[string, Partial<ReadinessReport>]>([
    ['an earlier run', { startedAt: '2026-11-23T11:59:00Z' }],
    ['a container that is not there', { container: 'other' }],
  ])('does not hear of %s', async (_, changes) => {
    const world = await serving();
    await report(world, changes);
    expect(shown(world)).toBe('false False False');
  });

  it('begins anew with each run', async () => {
    const world = await serving('exits-0');
    await report(world);
    const before = status(world)?.restartCount ?? 0;
    for (let second = 0; second < 600 && (status(world)?.restartCount ?? 0) === before; second += 1) await world.run(1);
    expect(status(world)?.restartCount).toBeGreaterThan(before);
    expect(shown(world)).toBe('false False False');
  });
});

it('a container without a probe is ready when it runs, whatever is reported', async () => {
  const world = await createWorld();
  world.createPod('serves', { restartPolicy: 'Always' });
  await world.run(30);
  await report(world, { ready: false });
  expect(shown(world)).toBe('true True True');
});
