import * as z from 'zod';
import type { AzureCli } from '../azure-cli.ts';
import { Stop } from '../stop.ts';
import { read, unreadable } from './observed.ts';
import type { Part } from './observed.ts';
import type { AccountFacts, AppFacts, SubnetFacts } from './azure-judgements.ts';
import type { Grant } from './role-judgements.ts';
import { defined } from '../../../shared/core/defined.ts';
import { isSameId, subscriptionOf } from '../../../shared/core/resource-id.ts';
import { networkOf } from '../cluster/aks-network.ts';

/** Asks az; what it could not report is a reason, never an exception. Reads only. */
export async function ask<T>(
  az: AzureCli,
  args: readonly string[],
  parse: (answer: unknown) => T | undefined,
): Promise<Part<T>> {
  try {
    const value = parse(await az.json(args));
    return value === undefined
      ? unreadable(`az ${args.slice(0, 2).join(' ')} did not answer as expected.`)
      : read(value);
  } catch (error) {
    if (error instanceof Stop) return unreadable(`${error.message}.`, error.fix && `${upperFirst(error.fix)}.`);
    throw error;
  }
}

const upperFirst = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const accountSchema = z.object({
  id: z.string(),
  state: z.string().default('Enabled'),
  user: z.object({ name: z.string() }).optional(),
});

export const readAccount = (az: AzureCli, subscription: string | undefined): Promise<Part<AccountFacts>> =>
  ask(az, ['account', 'show', ...(subscription === undefined ? [] : ['--subscription', subscription])], (answer) => {
    const parsed = accountSchema.safeParse(answer).data;
    return parsed && { subscriptionId: parsed.id, user: parsed.user?.name ?? 'somebody', state: parsed.state };
  });

const site = z.object({
  state: z.string().nullish(),
  enabled: z.boolean().nullish(),
  lastModifiedTimeUtc: z.string().nullish(),
});
const appSchema = site.extend({
  /** Flex Consumption apps are shown as ARM has them. */
  properties: site.nullish(),
  identity: z
    .object({
      principalId: z.string().nullish(),
      userAssignedIdentities: z
        .record(z.string(), z.object({ clientId: z.string(), principalId: z.string() }))
        .nullish(),
    })
    .nullish(),
});

/** `args`: `--name … --resource-group …`. */
export const readApp = (az: AzureCli, args: readonly string[]): Promise<Part<AppFacts>> =>
  ask(az, ['functionapp', 'show', ...args], parseApp);

/** Of `az functionapp show`, of either shape. */
export function parseApp(answer: unknown): AppFacts | undefined {
  const parsed = appSchema.safeParse(answer).data;
  if (parsed === undefined) return undefined;
  const { identity } = parsed;
  const own = { ...parsed.properties, ...onlyKnown(parsed) };
  const principalId = identity?.principalId ?? undefined;
  return {
    state: own.state ?? 'unknown',
    isEnabled: own.enabled ?? true,
    ...(own.lastModifiedTimeUtc ? { lastModified: own.lastModifiedTimeUtc } : {}),
    ...defined({ systemPrincipalId: principalId }),
    userIdentities: Object.entries(identity?.userAssignedIdentities ?? {}).map(([id, one]) => ({ id, ...one })),
  };
}

const onlyKnown = ({ state, enabled, lastModifiedTimeUtc }: z.infer<typeof site>): z.infer<typeof site> => ({
  ...(state === undefined || state === null ? {} : { state }),
  ...(enabled === undefined || enabled === null ? {} : { enabled }),
  ...(lastModifiedTimeUtc === undefined || lastModifiedTimeUtc === null ? {} : { lastModifiedTimeUtc }),
});

const providerSchema = z.object({ registrationState: z.string() });

export const readProvider = (az: AzureCli, subscription: string): Promise<Part<string>> =>
  ask(
    az,
    ['provider', 'show', '--namespace', 'Microsoft.ContainerInstance', '--subscription', subscription],
    (answer) => providerSchema.safeParse(answer).data?.registrationState,
  );

const storageSchema = z.object({ id: z.string() });

/** The ARM id of a storage account. */
export const readStorageId = (az: AzureCli, name: string, subscription: string): Promise<Part<string>> =>
  ask(
    az,
    ['storage', 'account', 'show', '--name', name, '--subscription', subscription],
    (answer) => storageSchema.safeParse(answer).data?.id,
  );

const subnetFields = {
  addressPrefix: z.string().nullish(),
  addressPrefixes: z.array(z.string()).nullish(),
  delegations: z.array(z.object({ serviceName: z.string() })).nullish(),
  ipConfigurations: z.array(z.unknown()).nullish(),
  ipConfigurationProfiles: z.array(z.unknown()).nullish(),
  routeTable: z.object({ id: z.string() }).nullish(),
};
const subnetSchema = z.object(subnetFields);

/** az shows a single one by itself. */
const prefixesOf = ({
  addressPrefix,
  addressPrefixes,
}: Pick<z.infer<typeof subnetSchema>, 'addressPrefix' | 'addressPrefixes'>): readonly string[] =>
  addressPrefixes?.length ? addressPrefixes : addressPrefix ? [addressPrefix] : [];

export const readSubnet = (az: AzureCli, id: string): Promise<Part<SubnetFacts>> =>
  ask(az, ['network', 'vnet', 'subnet', 'show', '--ids', id], (answer) => {
    const parsed = subnetSchema.safeParse(answer).data;
    if (parsed === undefined) return undefined;
    const { delegations, ipConfigurations, ipConfigurationProfiles } = parsed;
    return {
      delegations: (delegations ?? []).map(({ serviceName }) => serviceName),
      prefixes: prefixesOf(parsed),
      used: (ipConfigurations?.length ?? 0) + (ipConfigurationProfiles?.length ?? 0),
      ...(parsed.routeTable ? { routeTable: parsed.routeTable.id } : {}),
    };
  });

const networkSchema = z.object({
  subnets: z.array(z.object({ ...subnetFields, id: z.string() })),
  virtualNetworkPeerings: z
    .array(
      z.object({ peeringState: z.string().nullish(), remoteVirtualNetwork: z.object({ id: z.string() }).nullish() }),
    )
    .nullish(),
});

/** Of the virtual network that a subnet is in. */
export interface NetworkFacts {
  /** Of all its subnets, that subnet's first; IPv4. */
  readonly ranges: readonly string[];
  /** Ids of the networks that it is peered with, both sides of it made. */
  readonly peers: readonly string[];
}

/** The virtual network that a subnet is in. */
export const readNetwork = (az: AzureCli, subnetId: string): Promise<Part<NetworkFacts>> =>
  ask(az, ['network', 'vnet', 'show', '--ids', networkOf(subnetId)], (answer) => {
    const parsed = networkSchema.safeParse(answer).data;
    if (parsed === undefined) return undefined;
    const isOwn = ({ id }: { readonly id: string }): boolean => isSameId(id, subnetId);
    const ranges = parsed.subnets
      .toSorted((left, right) => Number(isOwn(right)) - Number(isOwn(left)))
      .flatMap(prefixesOf)
      .filter((range) => !range.includes(':'));
    const peers = (parsed.virtualNetworkPeerings ?? []).flatMap(({ peeringState, remoteVirtualNetwork }) =>
      peeringState === 'Connected' ? (remoteVirtualNetwork?.id ?? []) : [],
    );
    return { ranges, peers };
  });

const assignments = z.array(
  z.object({ roleDefinitionName: z.string().nullish(), roleDefinitionId: z.string(), scope: z.string() }),
);
/** az shows what a role leaves out as null. */
const list = z
  .array(z.string())
  .nullish()
  .transform((actions) => actions ?? []);
const definitions = z.array(
  z.object({
    permissions: z.array(z.object({ actions: list, notActions: list, dataActions: list, notDataActions: list })),
  }),
);
type Permission = z.infer<typeof definitions>[number]['permissions'][number];

/** A custom role that is assignable in one resource group is listed there and below, not in the subscription. */
const definedAt = (scope: string): readonly string[] =>
  scope.toLowerCase().startsWith('/subscriptions/') ? ['--scope', scope] : [];

/** All that the assignments of a principal allow, in its subscription and above. One call of az for each role. */
export const readGrants = (az: AzureCli, principalId: string, subscription: string): Promise<Part<readonly Grant[]>> =>
  readAssigned(az, principalId, { where: ['--all'], subscription });

/** As `readGrants`, of the assignments at one scope and above it: fewer roles, fewer calls. */
export const readGrantsAt = (az: AzureCli, principalId: string, scope: string): Promise<Part<readonly Grant[]>> =>
  readAssigned(az, principalId, { where: ['--scope', scope], subscription: subscriptionOf(scope) });

interface AssignedWhere {
  readonly where: readonly string[];
  readonly subscription: string;
}

async function readAssigned(
  az: AzureCli,
  principalId: string,
  { where, subscription }: AssignedWhere,
): Promise<Part<readonly Grant[]>> {
  const within = ['--subscription', subscription];
  const assigned = await ask(
    az,
    ['role', 'assignment', 'list', '--assignee', principalId, ...where, '--include-inherited', ...within],
    (answer) => assignments.safeParse(answer).data,
  );
  if (assigned.kind === 'unreadable') return assigned;
  const roles = new Map<string, readonly Permission[]>();
  for (const { roleDefinitionId, scope } of assigned.value) {
    const guid = roleDefinitionId.split('/').at(-1) ?? '';
    if (roles.has(guid)) continue;
    const definition = await ask(
      az,
      ['role', 'definition', 'list', '--name', guid, ...definedAt(scope), ...within],
      (answer) => definitions.safeParse(answer).data,
    );
    if (definition.kind === 'unreadable') return definition;
    roles.set(
      guid,
      definition.value.flatMap(({ permissions }) => permissions),
    );
  }
  return read(
    assigned.value.flatMap(({ roleDefinitionName, roleDefinitionId, scope }) => {
      const guid = roleDefinitionId.split('/').at(-1) ?? '';
      return (roles.get(guid) ?? []).map((permission) => ({ role: roleDefinitionName ?? guid, scope, ...permission }));
    }),
  );
}
