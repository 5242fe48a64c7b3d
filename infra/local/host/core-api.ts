import type { FunctionCallback, FunctionMetadata, ProgrammingModel } from './core-model.ts';
import { Disposable, HookRegistry, HostUsageError } from './hooks.ts';
import type { HookCallback } from './hooks.ts';
import type { LogLevel, LogMessage, RegisteredFunction } from './protocol.ts';
import { defined } from '../../../shared/core/defined.ts';

/** The host and worker versions that the object claims; libraries compare them to see which features exist. */
export const HOST_VERSION = '4.1052.100';
const WORKER_VERSION = '3.12.0';

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];

export interface LogContext {
  readonly functionName?: string;
  readonly invocationId?: string;
  invocationContext?: unknown;
  hookData?: Record<string, unknown>;
}

export interface FunctionEntry {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  readonly scriptFile: string;
}

/** Everything that one worker process knows of its app. */
export class WorkerApp {
  readonly hooks = new HookRegistry();
  readonly functions = new Map<string, FunctionEntry>();
  model: ProgrammingModel | undefined;
  /** The file being loaded; reported as the function's script file. */
  currentFile = '';
  #locked = false;
  readonly #emit: (message: LogMessage) => void;

  constructor(emit: (message: LogMessage) => void) {
    this.#emit = emit;
  }

  /** After this no function can be registered. */
  lock(): void {
    this.#locked = true;
  }

  /** Registers a function; a duplicate name or a late registration throws, as the worker on Azure does. */
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    if (this.#locked) throw new HostUsageError('A function can only be registered during app startup.');
    const id = metadata.functionId ?? metadata.name;
    if (this.functions.has(id)) throw new HostUsageError(`A function with id "${id}" has already been registered.`);
    this.functions.set(id, { metadata, callback, scriptFile: this.currentFile });
    return new Disposable(() => {
      if (this.#locked) throw new HostUsageError('A function can only be disposed during app startup.');
      this.functions.delete(id);
    });
  }

  /** Routes one message through the log hooks to the host; a hook may edit user messages only, and its faults are swallowed. */
  log(level: string, category: string, message: string, context: LogContext = {}): void {
    const edited = this.#throughHooks({ level, category, message }, context);
    const user = category === 'user';
    this.#emit({
      type: 'log',
      level: LEVELS.find((candidate) => candidate === (user ? edited.level : level)) ?? 'information',
      category: user ? 'user' : category === 'customMetric' ? 'customMetric' : 'system',
      message: user ? edited.message : message,
      ...defined({ functionName: context.functionName, invocationId: context.invocationId }),
    });
  }

  #throughHooks(
    entry: { level: string; category: string; message: string },
    context: LogContext,
  ): { level: string; category: string; message: string } {
    const shared = {
      ...entry,
      invocationContext: context.invocationContext,
      hookData: context.hookData ?? this.hooks.appLevelData,
      appHookData: this.hooks.appHookData,
    };
    for (const hook of this.hooks.of('log'))
      try {
        hook(shared);
      } catch {
        // A log hook must never fail the code that logs.
      }
    return shared;
  }

  /** The functions as the host is reported them. */
  describe(): RegisteredFunction[] {
    return [...this.functions.values()].map(({ metadata, scriptFile }) => ({
      name: metadata.name,
      rawBindings: Object.entries(metadata.bindings).map(([name, binding]) => JSON.stringify({ ...binding, name })),
      ...(metadata.retryOptions === undefined ? {} : { retryOptions: JSON.stringify(metadata.retryOptions) }),
      scriptFile,
    }));
  }
}

/** The object that `require('@azure/functions-core')` answers inside the worker. */
export function createCoreApi(app: WorkerApp): object {
  return {
    version: WORKER_VERSION,
    get hostVersion() {
      return HOST_VERSION;
    },
    Disposable,
    registerHook: (name: string, callback: HookCallback) => app.hooks.register(name, callback),
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      app.registerFunction(metadata, callback),
    setProgrammingModel: (model: ProgrammingModel) => {
      app.model = model;
    },
    getProgrammingModel: () => app.model,
    log: (level: string, category: string, message: string) => app.log(level, category, message),
  };
}
