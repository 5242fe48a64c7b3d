import { defined } from '../../../shared/core/defined.ts';
import type { MappedEndpoints } from '../../../shared/core/image/registry-endpoint.ts';
import type { Clock } from './clock.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';

export interface RuntimeOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  /** Registries of images that are asked elsewhere than at their own address. */
  readonly endpoints?: MappedEndpoints;
  /** JSON: what containers of an image do that are scripted, by the image's name. */
  readonly scripts?: string;
}

/** Makes the runtime of that name; only its own code is loaded. An unknown name is an error that lists the known ones. */
export async function createRuntime(kind: string, options: RuntimeOptions): Promise<ContainerRuntime> {
  const { stateDir, clock, log, endpoints, scripts = '{}' } = options;
  switch (kind) {
    case 'engine': {
      const { createEngineRuntime } = await import('./runtime/engine.ts');
      return createEngineRuntime({ stateDir, log, ...defined({ endpoints }) });
    }
    case 'process': {
      const { createProcessRuntime } = await import('./runtime/process.ts');
      return createProcessRuntime({ stateDir });
    }
    case 'scripted': {
      const { ScriptedRuntime, scriptsOfImages } = await import('./runtime/scripted.ts');
      return new ScriptedRuntime({ clock, images: scriptsOfImages(scripts) });
    }
    default:
      throw new Error(`unknown runtime '${kind}': engine, process or scripted`);
  }
}
