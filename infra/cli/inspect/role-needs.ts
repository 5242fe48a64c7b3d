import containerGroups from '../../azure/roles/container-groups.json' with { type: 'json' };
import identityAssign from '../../azure/roles/identity-assign.json' with { type: 'json' };
import subnetJoin from '../../azure/roles/subnet-join.json' with { type: 'json' };
import subscriptionReader from '../../azure/roles/subscription-reader.json' with { type: 'json' };
import { isSameId, resourceName } from '../../../shared/core/resource-id.ts';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import type { RoleNeed } from './role-judgements.ts';

/** With which the app may give one identity to container groups. */
export const { actions: assignActions } = identityAssign;

const tables = 'Microsoft.Storage/storageAccounts/tableServices/tables/entities';
const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';

/** The storage account's name, when the app reaches it by its identity. */
export const storageAccountName = ({ AzureWebJobsStorage__tableServiceUri: uri }: Settings): string | undefined =>
  uri === undefined ? undefined : new URL(uri).hostname.split('.')[0];

/** What the app's identity needs at ARM and at its storage account; `storageId`: the account's ARM id, when it is known. */
export function roleNeeds(settings: Settings, storageId: string | undefined): readonly RoleNeed[] {
  const subscription = `/subscriptions/${settings.AZURE_SUBSCRIPTION_ID}`;
  return [
    {
      name: 'role: container groups',
      scope: `${subscription}/resourceGroups/${settings.AZURE_RESOURCE_GROUP}`,
      kind: 'actions',
      wanted: containerGroups.actions,
      meaning: 'no pod can run, end or show its logs without all of these',
      role: { madeBy: 'deployment' },
    },
    {
      name: 'role: subscription reader',
      scope: subscription,
      kind: 'actions',
      wanted: subscriptionReader.actions,
      meaning: 'the quota and the reasons of failed groups stay unknown',
      role: { madeBy: 'deployment' },
    },
    ...(settings.ACI_SUBNET_ID === undefined ? [] : [subnetNeed(settings.ACI_SUBNET_ID)]),
    ...(storageId === undefined ? [] : storageNeeds(storageId)),
    ...onceEach(Object.values(settings.REGISTRY_PULL_IDENTITIES)).map((id) => pullNeed(id)),
  ];
}

/**
 * What the app needs besides, so that pods can have what the grants of the clusters let them name; what the settings ask
 * for already is left out.
 */
export function grantNeeds(
  settings: Settings,
  clusters: readonly Pick<ClusterRegistration, 'grants'>[],
): readonly RoleNeed[] {
  const grants = clusters.flatMap((cluster) => cluster.grants ?? []);
  const known = [...Object.values(settings.REGISTRY_PULL_IDENTITIES), settings.ACI_SUBNET_ID ?? '', 'none'];
  const isNew = (id: string): boolean => !known.some((one) => isSameId(one, id));
  return [
    ...onceEach(grants.flatMap(({ identities }) => identities).filter(isNew)).map((id) => podIdentityNeed(id)),
    ...onceEach(grants.flatMap(({ subnets }) => subnets).filter(isNew)).map((id) => podSubnetNeed(id)),
  ];
}

const onceEach = (ids: readonly string[]): readonly string[] =>
  ids.filter((id, index) => ids.findIndex((one) => isSameId(one, id)) === index);

const identityNeed = (scope: string, { meaning, orElse }: { meaning: string; orElse: string }): RoleNeed => ({
  name: `role: identity ${resourceName(scope)}`,
  scope,
  kind: 'actions',
  wanted: assignActions,
  meaning,
  role: { madeBy: 'azure', name: 'Managed Identity Operator', orElse },
});

const pullNeed = (scope: string): RoleNeed =>
  identityNeed(scope, {
    meaning: 'ARM refuses every group whose images are pulled with it (LinkedAuthorizationFailed)',
    orElse: 'attach --acr NAME, or deploy infra/azure with containerRegistryId',
  });

const podIdentityNeed = (scope: string): RoleNeed =>
  identityNeed(scope, {
    meaning: 'ARM refuses the groups of pods that name it (LinkedAuthorizationFailed)',
    orElse: 'deploy infra/azure with it in podIdentityIds',
  });

const podSubnetNeed = (scope: string): RoleNeed => ({
  ...subnetNeed(scope),
  name: `role: subnet ${resourceName(scope)}`,
  meaning: 'ARM refuses the groups of pods that name it (LinkedAuthorizationFailed)',
  role: { madeBy: 'azure', name: 'Network Contributor', orElse: 'a role of your own that has this action alone' },
});

const subnetNeed = (scope: string): RoleNeed => ({
  name: 'role: subnet join',
  scope,
  kind: 'actions',
  wanted: subnetJoin.actions,
  meaning: 'ARM refuses every group (LinkedAuthorizationFailed)',
  role: { madeBy: 'deployment' },
});

const storageNeeds = (scope: string): readonly RoleNeed[] => [
  {
    name: 'role: tables',
    scope,
    kind: 'dataActions',
    wanted: ['read', 'write', 'delete', 'add/action', 'update/action'].map((verb) => `${tables}/${verb}`),
    meaning: 'the app can not keep what it remembers and starts nothing',
    role: { madeBy: 'azure', name: 'Storage Table Data Contributor' },
  },
  {
    name: 'role: blobs',
    scope,
    kind: 'dataActions',
    wanted: ['read', 'write', 'delete', 'add/action'].map((verb) => `${blobs}/${verb}`),
    meaning: 'the timers of Azure Functions do not run, the registrations can not be read and no log is kept',
    role: { madeBy: 'azure', name: 'Storage Blob Data Owner' },
  },
];
