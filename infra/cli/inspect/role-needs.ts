import containerGroups from '../../azure/roles/container-groups.json' with { type: 'json' };
import subnetJoin from '../../azure/roles/subnet-join.json' with { type: 'json' };
import subscriptionReader from '../../azure/roles/subscription-reader.json' with { type: 'json' };
import type { Settings } from '../../../shared/wire/settings.ts';
import type { RoleNeed } from './role-judgements.ts';

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
  ];
}

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
