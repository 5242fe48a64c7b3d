import { currentLog } from './current-log.ts';
import type { ProbedPlace } from '../core/agent/findings/probed-place.ts';
import type { Result } from '../core/fault.ts';
import type { KeptAgents } from '../ports/packaged-agent.ts';
import type { SettingFault } from '../wire/setting-fault.ts';
import type { Composed } from './compose.ts';
import type { Deps } from './deps.ts';
import { probedClusters } from './probed-clusters.ts';

/** What an invocation works with; or what is wrong: with the settings until a restart, with the registrations maybe for a moment. */
export type LoadedDeps =
  | {
      readonly ok: true;
      readonly deps: Deps;
      /** The same once more, for a caller whose cluster is not among them; absent where no more can come. */
      readonly again?: () => Promise<LoadedDeps>;
    }
  | { readonly ok: false; readonly problem: 'settings' | 'registrations'; readonly message: string };

type BuiltDeps = ({ readonly ok: true } & Composed) | Extract<LoadedDeps, { ok: false }>;

let built: Promise<BuiltDeps> | undefined;

/**
 * The process's dependencies, built with the first invocation that needs them, and the clusters as this invocation shall
 * see them to its end. A setting is changed by a restart, as on Azure.
 */
export async function loadDeps(): Promise<LoadedDeps> {
  built ??= buildDeps(process.env);
  return withClusters(await built);
}

/** Where former agents are, of the same process; undefined: the settings are not valid. */
export async function loadKeptAgents(): Promise<KeptAgents | undefined> {
  built ??= buildDeps(process.env);
  const from = await built;
  return from.ok ? from.keptAgents : undefined;
}

/**
 * The dependencies for an environment, or what is wrong with its settings. Calls nothing yet. The schemas load here and
 * not before: a fifth of the time until the functions are registered.
 */
export async function buildDeps(environment: Readonly<Record<string, string | undefined>>): Promise<BuiltDeps> {
  const { parseSettings } = await import('../wire/settings.ts');
  const parsed = parseSettings(environment);
  if (!parsed.ok) return wrongSettings(parsed.faults);
  const { compose, readAuthority, readRegistryAuthority } = await import('./compose.ts');
  const authority = readAuthority(parsed.settings);
  const registryAuthority = readRegistryAuthority(parsed.settings);
  if (!authority.ok) return wrongSettings([authority.fault]);
  if (!registryAuthority.ok) return wrongSettings([registryAuthority.fault]);
  const authorities = { authorityPem: authority.pem, registryAuthorityPem: registryAuthority.pem };
  const { packagedAgent: agent } = await import('./agent-download.ts');
  const packagedAgent = await agent.sha256();
  return { ok: true, ...compose(parsed.settings, { environment, ...authorities, packagedAgent }, currentLog) };
}

/** The same with the clusters as they are registered now. */
export async function withClusters(from: BuiltDeps): Promise<LoadedDeps> {
  if (!from.ok || from.registered === undefined) return from;
  const { deps, registered, probes } = from;
  const [clusters, known] = await Promise.all([registered.read(), probes?.read() ?? []]);
  const loaded = await loadedWith(deps, clusters, known);
  if (!loaded.ok) return loaded;
  return { ...loaded, again: async () => loadedWith(deps, await registered.readForUnknown(), known) };
}

async function loadedWith(
  deps: Deps,
  clusters: Result<Deps['clusters']>,
  probes: readonly ProbedPlace[],
): Promise<LoadedDeps> {
  if (clusters.ok) return { ok: true, deps: { ...deps, clusters: probedClusters(clusters.value, probes) } };
  const { describeFault } = await import('../core/fault.ts');
  return { ok: false, problem: 'registrations', message: describeFault(clusters.fault) };
}

const wrongSettings = (faults: readonly SettingFault[]): Extract<LoadedDeps, { ok: false }> => ({
  ok: false,
  problem: 'settings',
  message: faults.map(({ name, expected }) => `${name}: ${expected}`).join('; '),
});

/** What the log says of it. */
export const problemTitle = {
  settings: 'settings are not valid',
  registrations: 'registrations could not be read',
} as const;
