/** The five hooks of the programming model, and the data that hooks of one process share. */
export const HOOK_NAMES = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const;
export type HookName = (typeof HOOK_NAMES)[number];
export type HookCallback = (context: object) => unknown;

/** Raised toward the app for faults of its use of the host; the library recognises the flag. */
export class HostUsageError extends RangeError {
  readonly isAzureFunctionsSystemError = true;
}

/** What a registration returns; disposing takes it back, and twice does no harm. */
export class Disposable {
  #onDispose: (() => unknown) | undefined;

  constructor(onDispose: () => unknown) {
    this.#onDispose = onDispose;
  }

  /** One disposable that disposes all the given ones. */
  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }

  dispose(): unknown {
    const onDispose = this.#onDispose;
    this.#onDispose = undefined;
    return onDispose?.();
  }
}

/** Makes a property that hooks may look into but not replace. */
export function readOnly(target: object, members: Record<string, unknown>): object {
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(target, name, {
      enumerable: true,
      get: () => value,
      set: () => {
        throw new TypeError(`Cannot assign to read only property '${name}' of a hook context`);
      },
    });
  return target;
}

/** The registered hooks of one worker process. */
export class HookRegistry {
  /** Seen as `hookData` by appStart and appTerminate only. */
  readonly appLevelData: Record<string, unknown> = {};
  /** Seen by every hook as `appHookData`. */
  readonly appHookData: Record<string, unknown> = {};
  readonly #callbacks = new Map<HookName, HookCallback[]>(HOOK_NAMES.map((name) => [name, []]));

  /** Registers a hook; an unknown name throws, as the worker on Azure does. */
  register(name: string, callback: HookCallback): Disposable {
    const known = HOOK_NAMES.find((candidate) => candidate === name);
    if (known === undefined) throw new HostUsageError(`Unrecognized hook "${name}"`);
    this.#callbacks.get(known)?.push(callback);
    return new Disposable(() => {
      const rest = this.of(known).filter((candidate) => candidate !== callback);
      this.#callbacks.set(known, rest);
    });
  }

  of(name: HookName): readonly HookCallback[] {
    return this.#callbacks.get(name) ?? [];
  }

  /** Runs the hooks of a name one by one, in the order of registration; what one throws ends the row. */
  async run(name: HookName, context: object): Promise<void> {
    for (const callback of this.of(name)) await callback(context);
  }

  /** The context of appStart and appTerminate. */
  appContext(extra: Record<string, unknown> = {}): object {
    return readOnly({ ...extra }, { hookData: this.appLevelData, appHookData: this.appHookData });
  }
}
