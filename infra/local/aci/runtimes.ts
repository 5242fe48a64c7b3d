import type { Clock } from './clock.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';

export interface RuntimeOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** Makes the runtime of that name; only its own code is loaded. An unknown name is an error that lists the known ones. */
export async function createRuntime(kind: string, options: RuntimeOptions): Promise<ContainerRuntime> {
  const { stateDir, clock, log } = options;
  switch (kind) {
    case 'engine': {
      const { createEngineRuntime } = await import('./runtime/engine.ts');
      return createEngineRuntime({ stateDir, log });
    }
    case 'process': {
      const { createProcessRuntime } = await import('./runtime/process.ts');
      return createProcessRuntime({ stateDir });
    }
    case 'scripted': {
      const { ScriptedRuntime } = await import('./runtime/scripted.ts');
      return new ScriptedRuntime({ clock });
    }
    default:
      throw new Error(`unknown runtime '${kind}': engine, process or scripted`);
  }
}
