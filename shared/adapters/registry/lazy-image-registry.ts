import type { ImageRegistry } from '../../ports/image-registry.ts';
import type { ImageRegistryConfig } from './image-registry.ts';

/** {@link ImageRegistry} over HTTP, loaded when the first image is asked for: most pods need none. */
export function createLazyImageRegistry(config: ImageRegistryConfig): ImageRegistry {
  let loaded: Promise<ImageRegistry> | undefined;
  const load = async (): Promise<ImageRegistry> => {
    const { createImageRegistry } = await import('./image-registry.ts');
    return createImageRegistry(config);
  };
  return {
    getDigest: async (...asked) => (await (loaded ??= load())).getDigest(...asked),
    getConfig: async (...asked) => (await (loaded ??= load())).getConfig(...asked),
  };
}
