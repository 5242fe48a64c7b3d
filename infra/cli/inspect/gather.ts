import { groupOwner } from '../../../shared/core/group/identity.ts';
import type { GroupOwner } from '../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import { nodeKeyText } from '../../../shared/core/node/node-key.ts';
import type { NodeKey } from '../../../shared/core/node/node-key.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import type { StateStore } from '../../../shared/ports/state-store.ts';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import { unreadableBy } from './fault-reason.ts';
import { armLimits } from '../../../shared/wire/arm-settings.ts';
import { budgetCharges, budgetLevels } from './budget-levels.ts';
import type { KubeContexts } from '../cluster/api.ts';
import { contextFor } from './cluster-reader.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { gatherCluster } from './gather-cluster.ts';
import { read, unreadable } from './observed.ts';
import type { BudgetObserved, Part, QuotaObserved, StatusObserved, UnmanagedGroups } from './observed.ts';
import { groupBy } from '../group-by.ts';
import { defined } from '../../../shared/core/defined.ts';

/** Where `status` polls; all of it with the operator's rights. */
export interface StatusSources {
  readonly settings: Settings;
  /** Whether the blob could be read. */
  readonly registrations: Part<undefined>;
  /** Those of the settings and of the blob. */
  readonly clusters: readonly ClusterRegistration[];
  readonly store: StateStore;
  readonly groups: ContainerGroups;
  readonly contexts: KubeContexts;
  /** Of --context. */
  readonly context: string | undefined;
  readonly reader: (context: string | undefined) => ClusterReader;
  readonly signal: AbortSignal;
}

/** Reads everything once, side by side. Changes nothing, and never rejects for what cannot be read. */
export async function gatherStatus(sources: StatusSources): Promise<StatusObserved> {
  const { settings, registrations, store, signal } = sources;
  const listed = await sources.groups.list(signal);
  const groups: Part<readonly ListedGroup[]> = listed.ok ? read(listed.value) : unreadableBy(listed.fault);
  const [observed, quota, budgets, unmanagedGroups] = await Promise.all([
    gatherClusters(sources, groups),
    readQuota(sources),
    readBudgets(store, settings),
    readUnmanaged(groups, sources),
  ]);
  return {
    installation: settings.INSTALLATION,
    region: settings.AZURE_LOCATION,
    registrations,
    clusters: observed,
    quota,
    budgets,
    unmanagedGroups,
  };
}

function gatherClusters(sources: StatusSources, groups: Part<readonly ListedGroup[]>) {
  const { clusters, store, settings } = sources;
  return Promise.all(
    clusters.map((cluster) => {
      const { context, leadsThere } = contextFor(cluster.server, sources.contexts, sources.context);
      const reader = sources.reader(context);
      return gatherCluster(cluster, { installation: settings.INSTALLATION, store, groups, reader, leadsThere });
    }),
  );
}

const shownQuota = ['ContainerGroups', 'StandardCores'];

async function readQuota({ groups, signal }: StatusSources): Promise<Part<readonly QuotaObserved[]>> {
  const usages = await groups.listUsages(signal);
  if (!usages.ok) return unreadableBy(usages.fault);
  return read(
    usages.value
      .filter(({ name }) => shownQuota.includes(name))
      .map(({ name, current, limit }) => ({ name, used: current, limit })),
  );
}

async function readBudgets(store: StateStore, settings: Settings): Promise<Part<readonly BudgetObserved[]>> {
  const charges = budgetCharges(armLimits(settings));
  const rows = await Promise.all(
    charges.map(async (charge) => ({ charge, row: await store.getBucket(charge.bucket) })),
  );
  const now = await store.now();
  if (!now.ok) return unreadableBy(now.fault);
  const states = [];
  for (const { charge, row } of rows) {
    if (!row.ok) return unreadableBy(row.fault);
    // What was never used has no row, and nothing to say.
    if (row.value !== undefined) states.push({ charge, state: row.value.value });
  }
  return read(budgetLevels(states, now.value));
}

async function readUnmanaged(
  groups: Part<readonly ListedGroup[]>,
  { registrations, clusters, settings, store }: StatusSources,
): Promise<Part<readonly UnmanagedGroups[]>> {
  if (groups.kind === 'unreadable') return groups;
  if (registrations.kind === 'unreadable')
    return unreadable('Without the registrations nobody knows whose groups these are.');
  const owners = groups.value.flatMap(({ tags }) => groupOwner(tags) ?? []);
  const ours = owners.filter(({ installation }) => installation === settings.INSTALLATION);
  const strange = ours.filter((owner) => !isRegistered(owner, clusters));
  const homes = [...groupBy(strange, nodeKeyText).values()];
  return read(await Promise.all(homes.map((some) => unmanagedOf(some, clusters, store))));
}

const isRegistered = ({ cluster, node }: GroupOwner, clusters: readonly ClusterRegistration[]): boolean =>
  clusters.some(({ uid, nodes }) => uid === cluster && nodes.some(({ name }) => name === node));

async function unmanagedOf(
  owners: readonly GroupOwner[],
  clusters: readonly ClusterRegistration[],
  store: StateStore,
): Promise<UnmanagedGroups> {
  const { cluster = '', node = '' } = owners[0] ?? {};
  const oldest = await oldestAgeSeconds({ cluster, node }, store);
  return {
    kind: clusters.some(({ uid }) => uid === cluster) ? 'unknown-node' : 'unknown-cluster',
    cluster,
    node,
    count: owners.length,
    ...defined({ oldestAgeSeconds: oldest }),
  };
}

/** ARM's list reports no creation time; the rows of the pods do, if they are still there. */
async function oldestAgeSeconds(key: NodeKey, store: StateStore): Promise<number | undefined> {
  const [rows, now] = [await store.listPods(key), await store.now()];
  if (!rows.ok || !now.ok) return undefined;
  const begun = rows.value.flatMap(({ value: { intent } }) => (intent.kind === 'none' ? [] : [intent.at]));
  return begun.length === 0 ? undefined : Math.max(0, Math.round((now.value - Math.min(...begun)) / 1000));
}
