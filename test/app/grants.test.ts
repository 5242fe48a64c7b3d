import { describe, expect, it } from 'vitest';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { ClusterRegistration } from '../../shared/wire/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const annotation = 'microsoft.containerinstance.virtualnode.identity';
const identity = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reports';
const grants = [{ namespace: 'default', identities: [identity], subnets: [], logAnalytics: [], publicAddress: false }];

/** A world whose process knows no grant; `confirm` says what the registration has by now. */
async function openWorld(
  confirm: (known: ClusterRegistration) => Result<ClusterRegistration>,
): Promise<{ readonly world: World; readonly asked: () => number }> {
  const world = await createWorld();
  const { registration } = world.clusterDeps();
  let asked = 0;
  world.deps = {
    ...world.deps,
    confirmCluster: () => {
      asked += 1;
      return Promise.resolve(confirm(registration));
    },
  };
  return { world, asked: () => asked };
}

const asking = { annotations: { [annotation]: identity } };

describe('a pod that asks for what this process knows no grant of', () => {
  it('gets it where it was granted just now', async () => {
    const { world, asked } = await openWorld((known) => ok({ ...known, grants }));
    world.createPod('serves', { restartPolicy: 'Always' }, asking);
    await world.run(40);
    expect(world.statusOf()).toBe('Running, main: running');
    expect(world.groups.puts()).toHaveLength(1);
    const before = asked();
    await world.run(600);
    expect(asked()).toBe(before);
  });

  it('fails for ever where it was not', async () => {
    const { world } = await openWorld(ok);
    world.createPod('serves', {}, asking);
    await world.run(40);
    expect(world.statusOf()).toMatch(/^Failed UnsupportedPodSpec/);
    expect(world.groups.puts()).toEqual([]);
  });

  it('waits while nobody knows', async () => {
    let isKnown = false;
    const { world } = await openWorld((known) =>
      isKnown ? ok({ ...known, grants }) : fail({ kind: 'transient', message: 'the blob does not answer' }),
    );
    world.createPod('serves', { restartPolicy: 'Always' }, asking);
    await world.run(90);
    expect(world.statusOf()).toMatch(/^Pending/);
    isKnown = true;
    await world.run(120);
    expect(world.statusOf()).toBe('Running, main: running');
  });
});

it('a pod that asks for nothing of the kind costs no look at the registrations', async () => {
  const { world, asked } = await openWorld(ok);
  world.createPod('serves', { restartPolicy: 'Always' });
  await world.run(60);
  expect([world.statusOf(), asked()]).toEqual(['Running, main: running', 0]);
});
