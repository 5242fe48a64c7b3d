import { createHash } from 'node:crypto';
import { createMemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import type { MemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import { images } from '../../infra/local/sim/pods/images.ts';

/** Has every image of a simulated pod, by the tag that is meant where none is named. */
export function createFilledRegistry(): MemoryImageRegistry {
  const registry = createMemoryImageRegistry();
  const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
  for (const name of Object.keys(images)) {
    const digest = `sha256:${createHash('sha256').update(name).digest('hex')}`;
    registry.put(`index.docker.io/library/${name}`, 'latest', { digest, config });
  }
  return registry;
}
