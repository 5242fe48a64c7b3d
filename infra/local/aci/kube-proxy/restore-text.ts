import { hooks } from './rules.ts';
import type { Ruleset } from './rules.ts';

type Table = keyof typeof hooks;
const tables: readonly Table[] = ['nat', 'filter'];

/** What iptables has of ours: names of chains, and the lines of built-in chains that lead to them. */
export interface Installed {
  readonly chains: Readonly<Record<Table, ReadonlySet<string>>>;
  readonly hooks: ReadonlySet<string>;
}

/** Reads what `iptables-save` says; other people's rules count for nothing. */
export function parseSaved(text: string): Installed {
  const chains = { nat: new Set<string>(), filter: new Set<string>() };
  const found = new Set<string>();
  let table: Table | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = tables.find((name) => line === `*${name}`);
    if (table === undefined) continue;
    const chain = /^:(KUBE-\S+) /.exec(line)?.[1];
    if (chain !== undefined) chains[table].add(chain);
    if (hooks[table].some((hook) => hook === line)) found.add(`${table} ${line}`);
  }
  return { chains, hooks: found };
}

/**
 * The input of `iptables-restore --noflush` that makes the rules of `wanted` all that is ours, in one step: other chains
 * stay, chains that are no longer needed go.
 */
export function restoreText(wanted: Ruleset, installed: Installed): string {
  return tables
    .flatMap((table) => {
      const chains = wanted[table];
      const gone = [...installed.chains[table]].filter((chain) => !chains.has(chain));
      return [
        `*${table}`,
        ...[...chains.keys(), ...gone].map((chain) => `:${chain} - [0:0]`),
        ...hooks[table].filter((hook) => !installed.hooks.has(`${table} ${hook}`)),
        ...[...chains].flatMap(([chain, lines]) => lines.map((line) => `-A ${chain} ${line}`)),
        ...gone.map((chain) => `-X ${chain}`),
        'COMMIT',
      ];
    })
    .concat('')
    .join('\n');
}

/** What {@link restoreText} leaves installed. */
export function installedBy({ nat, filter }: Ruleset): Installed {
  return {
    chains: { nat: new Set(nat.keys()), filter: new Set(filter.keys()) },
    hooks: new Set(tables.flatMap((table) => hooks[table].map((hook) => `${table} ${hook}`))),
  };
}
