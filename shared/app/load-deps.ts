import { parseSettings } from '../wire/settings.ts';
import type { Log } from '../ports/log.ts';
import type { Deps } from './deps.ts';

export type LoadedDeps = { readonly ok: true; readonly deps: Deps } | { readonly ok: false; readonly message: string };

let loaded: Promise<LoadedDeps> | undefined;

/** The process's dependencies, built with the first invocation that needs them. A setting is changed by a restart, as on Azure. */
export function loadDeps(log: Log): Promise<LoadedDeps> {
  loaded ??= build(log);
  return loaded;
}

async function build(log: Log): Promise<LoadedDeps> {
  const parsed = parseSettings(process.env);
  if (!parsed.ok)
    return { ok: false, message: parsed.faults.map((fault) => `${fault.name}: ${fault.expected}`).join('; ') };
  const { compose } = await import('./compose.ts');
  return { ok: true, deps: compose(parsed.settings, process.env, log) };
}
