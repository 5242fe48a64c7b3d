import { afterAll, describe, expect, it } from 'vitest';
import { createImageRegistry } from '../../shared/adapters/registry/image-registry.ts';
import { isDockerRegistryInstalled, login, startDockerRegistry } from './docker-registry.ts';
import { describeImageRegistry } from './image-registry.suite.ts';

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
      const real = await startDockerRegistry({ isOpen });
      closing.push(real);
      const registry = createImageRegistry({ endpoints: { 'registry.example': real.origin }, userAgent: 'test/1' });
      return { registry, host: 'registry.example', login: isOpen ? undefined : login, push: real.push };
    });
});
