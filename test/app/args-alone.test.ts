import { describe, expect, it } from 'vitest';
import type { Fault } from '../../shared/core/fault.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import { lookUpImages } from '../../shared/app/look-up-image.ts';
import { systemClock } from '../../shared/adapters/system-clock.ts';
import { createWorld } from './world.ts';
import type { World, WorldOptions } from './world.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const config = { entrypoint: ['/entry'], cmd: ['serve'], env: {}, workingDir: '', user: '' };

const spec = (more: JsonObject = {}, podMore: JsonObject = {}): JsonObject => ({
  containers: [{ name: 'main', image: 'serves:1', imagePullPolicy: 'IfNotPresent', args: ['--all'], ...more }],
  ...podMore,
});

async function open(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld({ images: { 'serves:1': {}, serves: {} }, ...options });
  world.imageRegistry.put('index.docker.io/library/serves', '1', { digest, config });
  return world;
}

const put = (world: World) => world.groups.puts().map((name) => world.groups.readGroup(name)?.body.containers[0]);

describe('a pod with arguments alone', () => {
  it("runs them behind its image's entrypoint, of the very image that was asked about", async () => {
    const world = await open();
    world.createPod('serves', spec());
    await world.run(20);
    expect(world.statusOf()).toBe('Running, main: running');
    expect(put(world)).toMatchObject([{ image: `serves@${digest}`, command: ['/entry', '--all'] }]);
    expect(world.pod()?.status.containerStatuses).toMatchObject([
      { image: 'serves:1', imageID: `docker.io/library/serves@${digest}` },
    ]);
    expect(world.events('ImageNotChanged')).toEqual([]);
  });

  it('and its like ask a registry once', async () => {
    const world = await open();
    for (let index = 0; index < 20; index += 1) world.createPod('serves', spec(), { name: `p-${index}` });
    world.createPod('serves', { containers: [{ name: 'main', image: 'serves:1' }] });
    await world.run(30);
    expect(world.groups.puts()).toHaveLength(21);
    expect(world.imageRegistry.asked).toEqual({ digests: 1, configs: 1 });
  });

  it('waits for a registry as a kubelet waits for a pull, and runs when it answers', async () => {
    const world = await open();
    world.imageRegistry.fault = { kind: 'transient', message: 'docker.io answered 503 for library/serves:1' };
    world.createPod('serves', spec());
    await world.run(1);
    expect(world.statusOf()).toBe('Pending, main: ErrImagePull');
    await world.run(60);
    expect(world.statusOf()).toBe('Pending, main: ImagePullBackOff');
    expect(world.pod()?.status.containerStatuses[0]?.state).toMatchObject({
      message:
        'Back-off pulling image "serves:1": ErrImagePull: failed to pull image "serves:1": docker.io answered 503 for library/serves:1',
    });
    expect(world.events()).toEqual([
      'Failed: Failed to pull image "serves:1": docker.io answered 503 for library/serves:1',
      'Failed: Error: ErrImagePull',
      'BackOff: Back-off pulling image "serves:1"',
      'Failed: Error: ImagePullBackOff',
    ]);
    expect(world.groups.puts()).toEqual([]);
    const asked = world.imageRegistry.asked.digests;
    await world.run(3_600);
    expect(world.imageRegistry.asked.digests - asked).toBeLessThan(40);
    world.imageRegistry.fault = undefined;
    await world.run(320);
    expect(world.statusOf()).toBe('Running, main: running');
  });

  it('does not ask before the time that a registry names', async () => {
    const world = await open();
    world.imageRegistry.fault = { kind: 'throttled', retryAfterMs: 600_000, message: 'docker.io answered 429' };
    world.createPod('serves', spec());
    await world.run(590);
    expect(world.imageRegistry.asked.digests).toBe(1);
    expect(world.statusOf()).toBe('Pending, main: ErrImagePull');
    world.imageRegistry.fault = undefined;
    await world.run(30);
    expect(world.statusOf()).toBe('Running, main: running');
  });

  it('asks with what its pull secrets hold for the image, and with no more', async () => {
    const login = { username: 'u', password: 'planted' };
    const world = await open({ imageLogin: login });
    const auths = JSON.stringify({ auths: { 'docker.io': login } });
    const secret = { namespace: 'default', name: 'pull' };
    world.createPod('serves', spec(), { name: 'stranger' });
    await world.run(20);
    expect(world.statusOf('stranger')).toMatch(/^Pending, main: (ErrImagePull|ImagePullBackOff)$/);
    world.cluster.references.putSecret(secret, { '.dockerconfigjson': auths }, 'kubernetes.io/dockerconfigjson');
    world.createPod('serves', spec({}, { imagePullSecrets: [{ name: 'pull' }] }));
    await world.run(20);
    expect(world.statusOf()).toBe('Running, main: running');
    await world.run(320);
    expect(world.statusOf('stranger')).toBe('Pending, main: ImagePullBackOff');
    expect(JSON.stringify([world.events(), world.pod('stranger'), world.warnings])).not.toContain('planted');
  });

  it('does not outlive its deadline while it waits', async () => {
    const world = await open();
    world.imageRegistry.fault = { kind: 'not-found', code: 'NAME_UNKNOWN', message: 'docker.io answered 404' };
    world.createPod('serves', spec({}, { activeDeadlineSeconds: 40 }));
    await world.run(60);
    expect(world.statusOf()).toMatch(/^Failed DeadlineExceeded/);
  });

  it("is what an operator says of its image, by the image's own name", async () => {
    const said = { 'serves:1': { entrypoint: ['/theirs'] } };
    const world = await open({ settings: { IMAGE_CONFIGS: JSON.stringify(said) } });
    world.createPod('serves', spec());
    await world.run(20);
    expect(put(world)).toMatchObject([{ image: 'serves:1', command: ['/theirs', '--all'] }]);
    expect(world.imageRegistry.asked.digests).toBe(0);
  });

  it('keeps its image, and reports a change that comes late', async () => {
    const world = await open();
    world.createPod('serves', spec());
    await world.run(20);
    world.cluster.pods.patchSpec({ namespace: 'default', name: 'p' }, spec({ image: 'serves:2' }));
    await world.run(60);
    expect(world.events('ImageNotChanged')).toEqual([
      'ImageNotChanged: spec.containers[0].image: the group was made with serves:1 and keeps it; delete the pod to run serves:2',
    ]);
    expect(world.pod()?.status.containerStatuses).toMatchObject([{ image: 'serves:1' }]);
  });
});

describe('the images of a pod', () => {
  const fault: Fault = { kind: 'transient', message: 'registry.example did not answer in time' };

  it('are read as far as registries say', async () => {
    const world = await open();
    const images = ['serves:1', 'none:1'].map((image) => ({ image, isAlways: false }));
    const signal = AbortSignal.timeout(60_000);
    const read = await lookUpImages(
      world.deps,
      { images, pullSecrets: [], secrets: new Map(), owner: 'c/a' },
      world.now,
      signal,
    );
    expect(read.ok && [...read.value]).toMatchObject([
      ['serves:1', { ok: true, value: { digest } }],
      ['none:1', { ok: false, fault: { kind: 'not-found' } }],
    ]);
  });

  it('are not waited for longer than an invocation has', async () => {
    const world = await open();
    const never = (_: unknown, signal: AbortSignal) =>
      new Promise<{ readonly ok: false; readonly fault: Fault }>((resolve) => {
        signal.addEventListener('abort', () => resolve({ ok: false, fault }), { once: true });
      });
    const bounds: number[] = [];
    const timeout = (ms: number) => (bounds.push(ms), AbortSignal.timeout(20));
    const deps = {
      ...world.deps,
      imageRegistry: { getDigest: never, getConfig: never },
      clock: { ...systemClock, timeout },
    };
    const wanted = {
      images: [{ image: 'serves:1', isAlways: false }],
      pullSecrets: [],
      secrets: new Map(),
      owner: 'c/a',
    };
    const read = await lookUpImages(deps, wanted, world.now, AbortSignal.timeout(60_000));
    expect(read.ok && [...read.value]).toEqual([['serves:1', { ok: false, fault }]]);
    expect(bounds).toEqual([8_000]);
  });

  it('are no fault of a registry when our own time is over', async () => {
    const world = await open();
    world.imageRegistry.fault = fault;
    const images = [{ image: 'serves:1', isAlways: false }];
    const wanted = { images, pullSecrets: [], secrets: new Map(), owner: 'c/a' };
    expect(await lookUpImages(world.deps, wanted, world.now, AbortSignal.abort())).toMatchObject({
      ok: false,
      fault: { kind: 'transient', message: expect.stringContaining('out of time') },
    });
    expect(await lookUpImages(world.deps, wanted, world.now, AbortSignal.timeout(60_000))).toMatchObject({ ok: true });
  });
});
