import { afterAll, describe, expect, it } from 'vitest';
import { createImageRegistry } from '../../shared/adapters/registry/image-registry.ts';
import { isDockerRegistryInstalled, login, startDockerRegistry } from './docker-registry.ts';
import { systemClock } from '../../shared/adapters/system-clock.ts';
import { createWorld } from '../app/world.ts';
import { sampleIndex } from '../fixtures/images.ts';
import { describeImageRegistry, repositories } from './image-registry.suite.ts';
import { startTokenService } from './token-service.ts';

describe('the real registry', () => {
  it('is installed where the gate runs', () => {
    expect(isDockerRegistryInstalled || process.env['CI'] !== 'true').toBe(true);
  });
});

describe.runIf(isDockerRegistryInstalled)('over HTTP', () => {
  const closing: AsyncDisposable[] = [];
  afterAll(async () => {
    for (const one of closing) await one[Symbol.asyncDispose]();
  });

  for (const isOpen of [true, false])
    describeImageRegistry(`Debian's docker-registry, ${isOpen ? 'open' : 'with htpasswd'}`, async () => {
      const real = await startDockerRegistry({ kind: isOpen ? 'open' : 'htpasswd' });
      closing.push(real);
      const registry = createImageRegistry({ endpoints: { 'registry.example': real.origin }, userAgent: 'test/1' });
      return { registry, host: 'registry.example', login: isOpen ? undefined : login, push: real.push };
    });

  describeImageRegistry("Debian's docker-registry, with tokens", async () => {
    const service = await startTokenService();
    closing.push(service);
    const real = await startDockerRegistry({
      kind: 'token',
      realm: `${service.origin}/token`,
      authority: service.authority,
      pushToken: service.tokenFor(repositories, ['pull', 'push']),
    });
    closing.push(real);
    const endpoints = { 'registry.example': real.origin, 'auth.example': service.origin };
    const registry = createImageRegistry({ endpoints, userAgent: 'test/1' });
    return { registry, host: 'registry.example', login, push: real.push };
  });
});

describe.runIf(isDockerRegistryInstalled)("a pod with arguments alone, and Debian's docker-registry", () => {
  it('becomes a group that runs them behind the entrypoint, by the digest, with its pull secret', async () => {
    await using real = await startDockerRegistry({ kind: 'htpasswd' });
    const image = sampleIndex([
      { platform: 'linux/arm64' },
      { platform: 'linux/amd64', config: { Entrypoint: ['/app', '--'], Cmd: ['serve'] } },
    ]);
    await real.push('team/app', 'v1', image);
    const imageRegistry = createImageRegistry({ endpoints: { 'registry.example': real.origin }, userAgent: 'test/1' });
    const world = await createWorld({
      images: { 'registry.example/team/app': {} },
      wrap: (deps) => ({ ...deps, imageRegistry, clock: { ...systemClock, wallMs: () => deps.clock.wallMs() } }),
    });
    const auths = JSON.stringify({ auths: { 'registry.example/team': login } });
    const secret = { namespace: 'default', name: 'pull' };
    world.cluster.references.putSecret(secret, { '.dockerconfigjson': auths }, 'kubernetes.io/dockerconfigjson');
    const container = { name: 'main', image: 'registry.example/team/app:v1', args: ['work'] };
    world.createPod('serves', { containers: [container], imagePullSecrets: [{ name: 'pull' }] });
    world.createPod('serves', { containers: [container] }, { name: 'stranger' });
    await world.run(30);
    expect(world.statusOf()).toBe('Running, main: running');
    expect(world.statusOf('stranger')).toMatch(/^Pending, main: (ErrImagePull|ImagePullBackOff)$/);
    const groups = world.groups.puts().map((name) => world.groups.readGroup(name)?.body.containers[0]);
    expect(groups).toMatchObject([
      { image: `registry.example/team/app@${image.digest}`, command: ['/app', '--', 'work'] },
    ]);
    expect(world.pod()?.status.containerStatuses).toMatchObject([
      { image: container.image, imageID: `registry.example/team/app@${image.digest}` },
    ]);
    const reported = JSON.stringify([world.events(), world.pod('stranger'), world.warnings]);
    expect(reported).toContain('registry.example answered 401');
    expect(reported).not.toContain('planted');
  });
});
