import { currentLog } from './current-log.ts';
import type { SettingFault } from '../wire/settings.ts';
import type { Deps } from './deps.ts';

export type LoadedDeps = { readonly ok: true; readonly deps: Deps } | { readonly ok: false; readonly message: string };

let loaded: Promise<LoadedDeps> | undefined;

/** The process's dependencies, built with the first invocation that needs them. A setting is changed by a restart, as on Azure. */
export function loadDeps(): Promise<LoadedDeps> {
  loaded ??= buildDeps(process.env);
  return loaded;
}

/**
 * The dependencies for an environment, or what is wrong with its settings. Calls nothing yet. The schemas load here and
 * not before: a fifth of the time until the functions are registered.
 */
export async function buildDeps(environment: Readonly<Record<string, string | undefined>>): Promise<LoadedDeps> {
  const { parseSettings } = await import('../wire/settings.ts');
  const parsed = parseSettings(environment);
  if (!parsed.ok) return { ok: false, message: parsed.faults.map(sentence).join('; ') };
  const { compose, readAuthority } = await import('./compose.ts');
  const authority = readAuthority(parsed.settings);
  if (!authority.ok) return { ok: false, message: sentence(authority.fault) };
  return { ok: true, deps: compose(parsed.settings, { environment, authorityPem: authority.pem }, currentLog) };
}

const sentence = ({ name, expected }: SettingFault): string => `${name}: ${expected}`;
