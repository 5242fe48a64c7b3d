import { MissingTool } from '../aci/images/rootfs.ts';
import { findEngine } from '../aci/runtime/engine.ts';
import type { Progress } from '../../cli/progress.ts';
import { localRegistry } from '../registry/catalog.ts';
import { findRegistry, startLocalRegistry } from '../registry/registry.ts';
import type { Parts } from './parts.ts';

/**
 * The registry of images beside the other parts, where this machine can have one: what the app's setting
 * `REGISTRY_ENDPOINTS` says of it. Otherwise a line says why not, and undefined.
 */
export async function bringUpRegistry(dir: string, progress: Progress, parts: Parts): Promise<string | undefined> {
  const program = findRegistry();
  const missing =
    program === undefined
      ? 'docker-registry is missing (Debian: apt-get install docker-registry)'
      : (await findEngine()) === 'podman'
        ? undefined
        : 'only Podman takes another address for it';
  if (program === undefined || missing !== undefined) return none(progress, missing);
  try {
    return await progress.step('registry', async (report) => {
      const registry = await startLocalRegistry(dir, program);
      parts.add(registry.child, 1000);
      report(`${localRegistry} at ${registry.child.value}: ${registry.images.join(', ')}`);
      return `${localRegistry}=${registry.child.value}`;
    });
  } catch (error) {
    if (error instanceof MissingTool) return none(progress, error.message);
    throw error;
  }
}

function none(progress: Progress, why = ''): undefined {
  progress.line(`no registry of images: ${why}; what the app knows of the examples' images is in IMAGE_CONFIGS`);
}
