import { createMemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import { describeImageRegistry } from './image-registry.suite.ts';

const login = { username: 'tester', password: 'planted-password' };

for (const known of [undefined, login])
  describeImageRegistry(`in memory, ${known === undefined ? 'open' : 'with a login'}`, async () => {
    const registry = createMemoryImageRegistry(known);
    return {
      registry,
      host: 'registry.example',
      login: known,
      push: async (repository, tag, { digest }, config) =>
        registry.put(`registry.example/${repository}`, tag, { digest, ...(config !== undefined && { config }) }),
    };
  });
