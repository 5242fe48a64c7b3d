import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../shared/core/json.ts';
import { createWorld } from './world.ts';

const containers = (image: string, more: JsonObject = {}) => ({ containers: [{ name: 'main', image, ...more }] });

describe('an image that no pull can bring', () => {
  it.each<[string, JsonObject, readonly string[]]>([
    [
      'InvalidImageName',
      containers('BusyBox_UPPER:1.36'),
      [
        `InspectFailed: Failed to apply default image tag "BusyBox_UPPER:1.36": couldn't parse image name "BusyBox_UPPER:1.36": invalid reference format: repository name (library/BusyBox_UPPER) must be lowercase`,
        'Failed: Error: InvalidImageName',
      ],
    ],
    [
      'ErrImageNeverPull',
      containers('serves', { imagePullPolicy: 'Never' }),
      [
        'ErrImageNeverPull: Container image "serves" is not present with pull policy of Never',
        'Failed: Error: ErrImageNeverPull',
      ],
    ],
  ])('keeps the pod Pending as %s, and nothing is asked of ARM for it', async (reason, spec, events) => {
    const world = await createWorld();
    world.createPod('serves', spec);
    await world.run(60);
    expect(world.statusOf()).toBe(`Pending, main: ${reason}`);
    expect(world.events()).toEqual(events);
    expect(world.groups.puts()).toEqual([]);
    expect(await world.count('groups.get', () => world.run(900))).toBe(0);
    world.deletePod();
    await world.run(60);
    expect([world.statusOf(), world.rows()]).toEqual(['gone', []]);
  });

  it('is waited for until it is changed', async () => {
    const world = await createWorld();
    world.createPod('serves', containers('BusyBox_UPPER:1.36'));
    await world.run(60);
    world.cluster.pods.patchSpec({ namespace: 'default', name: 'p' }, containers('exits-0'));
    await world.run(60);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('does not outlive the deadline of the pod', async () => {
    const world = await createWorld();
    world.createPod('serves', { ...containers('BusyBox_UPPER:1.36'), activeDeadlineSeconds: 40 });
    await world.run(35);
    expect(world.statusOf()).toBe('Pending, main: InvalidImageName');
    await world.run(15);
    expect(world.statusOf()).toMatch(/^Failed DeadlineExceeded/);
  });
});

it('an ephemeral container is shown as not started, and the pod runs on', async () => {
  const world = await createWorld();
  world.createPod('serves', { restartPolicy: 'Always' });
  await world.run(20);
  const ephemeralContainers = [{ name: 'dbg', image: 'busybox:1.36', targetContainerName: 'main' }];
  world.cluster.pods.patchSpec({ namespace: 'default', name: 'p' }, { ephemeralContainers });
  await world.run(10);
  expect(world.statusOf()).toBe('Running, main: running');
  expect(world.pod()?.status.ephemeralContainerStatuses).toMatchObject([
    { name: 'dbg', state: { kind: 'terminated', reason: 'StartError', exitCode: 128 } },
  ]);
  expect(await world.count('api.patchPodStatus', () => world.run(300))).toBe(0);
});
