import { afterAll, describe, expect, it } from 'vitest';
import { createImageRegistry } from '../../shared/adapters/registry/image-registry.ts';
import { isDockerRegistryInstalled, login, startDockerRegistry } from './docker-registry.ts';
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
