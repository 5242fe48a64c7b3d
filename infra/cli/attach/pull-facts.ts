import * as z from 'zod';
import { isSameId, resourceName } from '../../../shared/core/resource-id.ts';
import type { AppSettings, AppSource } from '../app-settings.ts';
import { azDenied, azNotFound } from '../azure-cli.ts';
import type { AzureCli } from '../azure-cli.ts';
import type { CliContext } from '../context.ts';
import { readGrantsAt } from '../inspect/azure-objects.ts';
import { allowsAll } from '../inspect/role-judgements.ts';
import type { Grant } from '../inspect/role-judgements.ts';
import { assignActions } from '../inspect/role-needs.ts';
import { failure, wrongInput } from '../stop.ts';
import type { AppFacts } from './app-facts.ts';
import { pullComplaint } from './pull-plan.ts';
import type { FoundIdentity, PullFacts, RegistryFacts } from './pull-plan.ts';
import type { RegistryWants } from './registry-wants.ts';

export type AzureSource = Extract<AppSource, { kind: 'azure' }>;

/** What AcrPull allows: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers#acrpull */
const pullActions = ['Microsoft.ContainerRegistry/registries/pull/read'];

/** What it works with. */
export type PullContext = Pick<CliContext, 'az' | 'out'>;

export interface PullInput {
  readonly source: AzureSource;
  readonly app: AppSettings;
  readonly appFacts: AppFacts;
  readonly registries: readonly RegistryWants[];
}

/** Looks at the registries, the identity, its rights and the app's; changes nothing. Throws a `Stop` that names the fix. */
export async function gatherPull(context: PullContext, input: PullInput): Promise<PullFacts> {
  const { source, app, appFacts } = input;
  const { az } = context;
  const { settings } = app;
  const { principalId } = appFacts;
  if (principalId === undefined)
    throw wrongInput(
      'the app has no identity that is known, and only an identity can be let give another one to container groups',
      'assign one (az functionapp identity assign), or deploy infra/azure again',
    );
  const registries = [];
  for (const wanted of input.registries) registries.push(await readRegistry(az, wanted, source));
  const name = `serverless-kubelet-${settings.INSTALLATION}-pull`;
  const clientId = settings.REGISTRY_PULL_CLIENT_ID;
  const identity = await findIdentity(az, { name, clientId, source, attached: appFacts.identities });
  const complaint = pullComplaint(clientId, { appClientId: settings.AZURE_CLIENT_ID, identity });
  if (complaint !== undefined) throw wrongInput(complaint.problem, complaint.fix);
  const facts = {
    name,
    resourceGroup: source.resourceGroup,
    identity,
    settings: { identities: settings.REGISTRY_PULL_IDENTITIES, clientId },
  };
  if (identity === undefined)
    return {
      ...facts,
      isAttached: false,
      mayAssign: false,
      registries: registries.map((one) => ({ ...one, mayPull: false })),
    };
  const assign = await grantsAt(az, principalId, identity.id);
  return {
    ...facts,
    isAttached: appFacts.identities.some(({ id }) => isSameId(id, identity.id)),
    mayAssign: allowsAll({ scope: identity.id, kind: 'actions', wanted: assignActions }, assign),
    registries: await readPullRights(context, registries, identity),
  };
}

const registrySchema = z.object({ id: z.string(), loginServer: z.string() });

async function readRegistry(
  az: AzureCli,
  { name, place }: RegistryWants,
  source: AzureSource,
): Promise<Omit<RegistryFacts, 'mayPull'>> {
  const subscription = place?.subscription ?? source.subscription;
  const where = [
    ...(place === undefined ? [] : ['--resource-group', place.resourceGroup]),
    ...(subscription === undefined ? [] : ['--subscription', subscription]),
  ];
  const parsed = registrySchema.safeParse(await shown(az, ['acr', 'show', '--name', name, ...where], name));
  if (!parsed.success) throw failure('az acr show did not answer as expected', 'update the Azure CLI: az upgrade');
  const { id, loginServer } = parsed.data;
  return { id, loginServer: loginServer.toLowerCase() };
}

async function shown(az: AzureCli, args: readonly string[], name: string): Promise<unknown> {
  try {
    return await az.json(args);
  } catch (error) {
    if (azNotFound(error))
      throw wrongInput(
        `there is no registry ${name} there`,
        'check --acr; one in another subscription is named by its resource id',
      );
    if (azDenied(error))
      throw failure(`your account may not read the registry ${name}`, 'ask for the role Reader at the registry');
    throw error;
  }
}

export const identitySchema = z.object({ id: z.string(), clientId: z.string(), principalId: z.string() });

interface IdentityQuestion {
  readonly name: string;
  readonly clientId: string | undefined;
  readonly source: AzureSource;
  readonly attached: readonly FoundIdentity[];
}

/** The one that the setting names, of the app's or of its resource group; without the setting that of our name. */
async function findIdentity(az: AzureCli, question: IdentityQuestion): Promise<FoundIdentity | undefined> {
  const { name, clientId, source, attached } = question;
  const isMeant = (one: FoundIdentity): boolean =>
    clientId === undefined ? isSameId(resourceName(one.id), name) : isSameId(one.clientId, clientId);
  const own = attached.find(isMeant);
  if (own !== undefined) return own;
  const { resourceGroup, subscription } = source;
  const within = subscription === undefined ? [] : ['--subscription', subscription];
  const listed = z
    .array(identitySchema)
    .safeParse((await az.json(['identity', 'list', '--resource-group', resourceGroup, ...within])) ?? []);
  if (!listed.success) throw failure('az identity list did not answer as expected', 'update the Azure CLI: az upgrade');
  return listed.data.find(isMeant);
}

async function readPullRights(
  { az, out }: PullContext,
  registries: readonly Omit<RegistryFacts, 'mayPull'>[],
  identity: FoundIdentity,
): Promise<readonly RegistryFacts[]> {
  const found: RegistryFacts[] = [];
  for (const registry of registries) {
    const grants = await grantsAt(az, identity.principalId, registry.id);
    for (const { role, scope } of grants.filter((grant) => grant.role !== 'AcrPull'))
      out.warn(
        `${resourceName(identity.id)} has the role ${role} at ${scope}: every container of a group that pulls with it can use that\n  → leave it AcrPull alone`,
      );
    const mayPull = allowsAll({ scope: registry.id, kind: 'actions', wanted: pullActions }, grants);
    found.push({ ...registry, mayPull });
  }
  return found;
}

async function grantsAt(az: AzureCli, principalId: string, scope: string): Promise<readonly Grant[]> {
  const grants = await readGrantsAt(az, principalId, scope);
  if (grants.kind === 'read') return grants.value;
  throw failure(
    `who may do what at ${resourceName(scope)} could not be read: ${grants.reason}`,
    grants.fix ?? 'ask for the role Reader there',
  );
}
