import { subscriptionOf } from '../../../shared/core/resource-id.ts';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import type { AzureCli } from '../azure-cli.ts';
import type { CliContext } from '../context.ts';
import type { AppFacts } from '../inspect/azure-judgements.ts';
import { readGrants, readStorageId } from '../inspect/azure-objects.ts';
import { skipped } from '../inspect/check.ts';
import type { Check } from '../inspect/check.ts';
import { judgeGrants, ownIdentity } from '../inspect/identity-judgements.ts';
import type { Part } from '../inspect/observed.ts';
import { judgeRole } from '../inspect/role-judgements.ts';
import type { Grant, RoleNeed } from '../inspect/role-judgements.ts';
import { grantNeeds, roleNeeds, storageAccountName } from '../inspect/role-needs.ts';
import type { ReportCheck } from './azure-checks.ts';

/** Who the app is at Azure, as far as it is known. */
export interface AppSeen {
  readonly principalId?: string;
  /** Its user-assigned identities. */
  readonly identities?: AppFacts['userIdentities'];
  /** What its principal may do; absent where az can't be asked. */
  readonly rights?: AppRights;
}

export interface AppRights {
  readonly principalId: string;
  /** Of one subscription, asked once. */
  of(subscription: string): Promise<Part<readonly Grant[]>>;
}

export function askRights(az: AzureCli, principalId: string): AppRights {
  const asked = new Map<string, Promise<Part<readonly Grant[]>>>();
  return {
    principalId,
    of: (subscription) => {
      const key = subscription.toLowerCase();
      const grants = asked.get(key) ?? readGrants(az, principalId, subscription);
      asked.set(key, grants);
      return grants;
    },
  };
}

const judgeNeed = async (need: RoleNeed, rights: AppRights): Promise<Check> =>
  judgeRole(need, await rights.of(subscriptionOf(need.scope)), rights.principalId);

/** The roles that the settings ask for. */
export async function checkRoles(
  { az }: CliContext,
  { settings, rights }: { readonly settings: Settings; readonly rights: AppRights },
  report: ReportCheck,
): Promise<void> {
  const account = storageAccountName(settings);
  const storage = account === undefined ? undefined : await readStorageId(az, account, settings.AZURE_SUBSCRIPTION_ID);
  const needs = roleNeeds(settings, storage?.kind === 'read' ? storage.value : undefined);
  for (const need of needs) report(await judgeNeed(need, rights));
  if (storage === undefined)
    report(skipped('role: storage', 'The settings have a connection string, which needs no role.'));
  else if (storage.kind === 'unreadable') report(skipped('role: storage', storage.reason));
}

interface GrantsToCheck {
  readonly settings: Settings;
  readonly clusters: readonly ClusterRegistration[];
  readonly seen: AppSeen;
}

/** What the grants of the clusters let pods name: whether it makes sense, and whether the app can give it. */
export async function checkGrants(
  { settings, clusters, seen: { identities, rights } }: GrantsToCheck,
  report: ReportCheck,
): Promise<void> {
  const facts = { workspaces: settings.LOG_ANALYTICS_WORKSPACES, own: ownIdentity(settings, identities)?.id };
  for (const cluster of clusters) {
    const check = judgeGrants(cluster, facts);
    if (check !== undefined) report(check);
  }
  const needs = grantNeeds(settings, clusters);
  for (const need of needs)
    report(
      rights === undefined
        ? skipped(need.name, 'Who the app is at Azure is unknown, and so what it may do.')
        : await judgeNeed(need, rights),
    );
}
