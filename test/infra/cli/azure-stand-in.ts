import identityAssign from '../../../infra/azure/roles/identity-assign.json' with { type: 'json' };
import { stopOf } from '../../../infra/cli/azure-cli.ts';
import type { AzureCli } from '../../../infra/cli/azure-cli.ts';
import { readFileSync } from 'node:fs';
import { armError } from './az-stand-in.ts';

const subscription = '/subscriptions/00000000-0000-4000-8000-000000000001';

interface Assignment {
  readonly principal: string;
  readonly role: string;
  readonly scope: string;
}

/** What is in an Azure that remembers what az did to it; tests change it. */
export interface AzureState {
  registries: readonly { readonly id: string; readonly loginServer: string }[];
  identities: { readonly id: string; readonly clientId: string; readonly principalId: string }[];
  assignments: Assignment[];
  /** Ids that are attached to the app. */
  attached: string[];
  settings: Record<string, string>;
  /** Subnets of each virtual network, by its id. */
  networks: Readonly<Record<string, readonly object[]>>;
  /** Commands that ARM refuses to this account, by their first words. */
  denied: string[];
}

export const registryId = (name: string): string =>
  `${subscription}/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/${name}`;
export const identityId = (name: string): string =>
  `${subscription}/resourceGroups/apps/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;

export const newAzure = (): AzureState => ({
  registries: ['prodimages', 'teamimages'].map((name) => ({ id: registryId(name), loginServer: `${name}.azurecr.io` })),
  identities: [],
  assignments: [],
  attached: [],
  settings: {},
  networks: {},
  denied: [],
});

const actions: Readonly<Record<string, readonly string[]>> = {
  AcrPull: ['Microsoft.ContainerRegistry/registries/pull/read'],
  'Managed Identity Operator': [
    'Microsoft.ManagedIdentity/userAssignedIdentities/*/read',
    'Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action',
  ],
  Contributor: ['*'],
  'serverless-kubelet identity assign (prod-x, apps)': identityAssign.actions,
};

export interface AzureStandIn {
  readonly az: AzureCli;
  /** Those that change something. */
  readonly changes: string[];
}

/** The commands of az that `attach --acr` runs, over that state. */
export function azureOver(state: AzureState): AzureStandIn {
  const changes: string[] = [];
  const json = async (args: readonly string[]): Promise<unknown> => {
    const line = args.join(' ');
    if (state.denied.some((words) => line.startsWith(words)))
      throw refusal(args, 'AuthorizationFailed', 'The client does not have authorization');
    const known = commands.find(([words]) => line.startsWith(words));
    if (known === undefined) throw new Error(`az ${line} is not known here`);
    const [words, run] = known;
    if (/create|assign$|set$/.test(words)) changes.push(line.replace(/@\S+$/, '@FILE'));
    return run(state, args);
  };
  return { az: { json }, changes };
}

const refusal = (args: readonly string[], code: string, message: string): Error =>
  stopOf(args, { code: 1, stdout: '', stderr: armError(code, message) });

const option = (args: readonly string[], name: string): string => args[args.indexOf(`--${name}`) + 1] ?? '';

type Run = (state: AzureState, args: readonly string[]) => unknown;

/** By their first words; the longer ones first. */
const commands: readonly (readonly [words: string, run: Run])[] = [
  [
    'acr show',
    ({ registries }, args) => {
      const found = registries.find(({ id }) => id.endsWith(`/${option(args, 'name')}`));
      if (found === undefined) throw refusal(args, 'ResourceNotFound', 'could not be found');
      return found;
    },
  ],
  ['network vnet show', ({ networks }, args) => ({ subnets: networks[option(args, 'ids')] })],
  ['identity list', ({ identities }) => identities],
  [
    'identity create',
    (state, args) => {
      const name = option(args, 'name');
      const made = { id: identityId(name), clientId: `client of ${name}`, principalId: `principal of ${name}` };
      state.identities.push(made);
      return made;
    },
  ],
  [
    'role assignment list',
    ({ assignments }, args) =>
      assignments
        .filter(
          ({ principal, scope }) => principal === option(args, 'assignee') && option(args, 'scope').startsWith(scope),
        )
        .map(({ role, scope }) => ({ roleDefinitionName: role, roleDefinitionId: `/roleDefinitions/${role}`, scope })),
  ],
  [
    'role definition list',
    (_, args) => [{ permissions: [{ actions: actions[option(args, 'name')] ?? [], notActions: null }] }],
  ],
  [
    'role assignment create',
    (state, args) =>
      void state.assignments.push({
        principal: option(args, 'assignee-object-id'),
        role: option(args, 'role'),
        scope: option(args, 'scope'),
      }),
  ],
  [
    'functionapp show',
    ({ identities, attached }) => ({
      defaultHostName: 'kubelet.azurewebsites.net',
      identity: {
        principalId: 'the app',
        userAssignedIdentities: Object.fromEntries(
          identities.filter(({ id }) => attached.includes(id)).map(({ id, ...one }) => [id, one]),
        ),
      },
    }),
  ],
  ['functionapp identity assign', (state, args) => void state.attached.push(option(args, 'identities'))],
  [
    'functionapp config appsettings set',
    (state, args) =>
      void Object.assign(state.settings, JSON.parse(readFileSync(option(args, 'settings').slice(1), 'utf8'))),
  ],
];
