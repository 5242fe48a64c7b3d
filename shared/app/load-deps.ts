import { currentLog } from './current-log.ts';
import type { Deps } from './deps.ts';

export type LoadedDeps = { readonly ok: true; readonly deps: Deps } | { readonly ok: false; readonly message: string };

let loaded: Promise<LoadedDeps> | undefined;

/** The process's dependencies, built with the first invocation that needs them. A setting is changed by a restart, as on Azure. */
export function loadDeps(): Promise<LoadedDeps> {
  loaded ??= build();
  return loaded;
}

/** The schemas load here and not before: a fifth of the time until the functions are registered. */
async function build(): Promise<LoadedDeps> {
  const { parseSettings } = await import('../wire/settings.ts');
  const parsed = parseSettings(process.env);
  if (!parsed.ok)
    return { ok: false, message: parsed.faults.map((fault) => `${fault.name}: ${fault.expected}`).join('; ') };
  const { compose } = await import('./compose.ts');
  return { ok: true, deps: compose(parsed.settings, process.env, currentLog) };
}
