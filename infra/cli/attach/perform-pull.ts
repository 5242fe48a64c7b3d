import { resourceName } from '../../../shared/core/resource-id.ts';
import { azAppArgs } from '../app-settings.ts';
import { azDenied } from '../azure-cli.ts';
import type { AzureCli } from '../azure-cli.ts';
import { writeSettings } from '../setting-writer.ts';
import { failure } from '../stop.ts';
import { identitySchema } from './pull-facts.ts';
import type { AzureSource, PullContext } from './pull-facts.ts';
import { planPull, pullSettings } from './pull-plan.ts';
import type { FoundIdentity, PullFacts, PullStep } from './pull-plan.ts';

export interface PullWork {
  readonly source: AzureSource;
  readonly appPrincipalId: string;
  readonly facts: PullFacts;
}

/** Does what is missing, a step at a time; answers what was changed, in a few words each. A second run finds it done. */
export async function performPull(context: PullContext, work: PullWork): Promise<readonly string[]> {
  const changes: string[] = [];
  let { identity } = work.facts;
  for (const step of planPull(work.facts)) {
    if (step.kind === 'make-identity') {
      identity = await context.out.progress.step('pull identity', (report) => makeIdentity(context, work, report));
      changes.push(`identity ${work.facts.name} made`);
      continue;
    }
    if (identity === undefined) throw new Error('the identity is made first');
    changes.push(await doStep(context, work, { step, identity }));
  }
  return changes;
}

async function makeIdentity(
  { az }: PullContext,
  { source, facts }: PullWork,
  report: (detail: string) => void,
): Promise<FoundIdentity> {
  const { resourceGroup, subscription } = source;
  const args = ['identity', 'create', '--name', facts.name, '--resource-group', resourceGroup];
  const answer = await asked(az, [...args, ...(subscription === undefined ? [] : ['--subscription', subscription])], {
    problem: `your account may not make an identity in the resource group ${resourceGroup}`,
    fix: 'ask for the role Managed Identity Contributor there',
  });
  const parsed = identitySchema.safeParse(answer);
  if (!parsed.success)
    throw failure('az identity create did not answer as expected', 'update the Azure CLI: az upgrade');
  report(facts.name);
  return parsed.data;
}

interface OneStep {
  readonly step: Exclude<PullStep, { kind: 'make-identity' }>;
  readonly identity: FoundIdentity;
}

/** Answers what was changed. */
function doStep(context: PullContext, work: PullWork, { step, identity }: OneStep): Promise<string> {
  const { az, out } = context;
  const name = resourceName(identity.id);
  switch (step.kind) {
    case 'give-pull':
      return out.progress.step(`AcrPull at ${step.registry.loginServer}`, async () => {
        const { id: scope, loginServer } = step.registry;
        await giveRole(az, { principalId: identity.principalId, role: 'AcrPull', scope });
        return `AcrPull at ${loginServer} given to ${name}`;
      });
    case 'give-assign':
      return out.progress.step('right of the app', async () => {
        const { appPrincipalId: principalId } = work;
        await giveRole(az, { principalId, role: 'Managed Identity Operator', scope: identity.id });
        return `the app may give ${name} to container groups`;
      });
    case 'attach-identity':
      return out.progress.step('identity of the app', async () => {
        await asked(az, ['functionapp', 'identity', 'assign', ...azAppArgs(work.source), '--identities', identity.id], {
          problem: `your account may not attach ${name} to the app`,
          fix: 'ask for the roles Website Contributor at the app and Managed Identity Operator at the identity',
        });
        return `${name} attached to the app`;
      });
    case 'write-settings':
      return out.progress.step('settings of the pull identity', async () => {
        await writeSettings(work.source, pullSettings(work.facts, identity), az);
        return 'REGISTRY_PULL_IDENTITIES and REGISTRY_PULL_CLIENT_ID written';
      });
  }
}

interface RoleGift {
  readonly principalId: string;
  readonly role: string;
  readonly scope: string;
}

/** By the object id: a new identity is not found by its name for a while. az answers the assignment that is there already. */
function giveRole(az: AzureCli, { principalId, role, scope }: RoleGift): Promise<unknown> {
  const to = ['--assignee-object-id', principalId, '--assignee-principal-type', 'ServicePrincipal'];
  const args = ['role', 'assignment', 'create', ...to, '--role', role, '--scope', scope];
  const byHand = ['az', ...args].map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ');
  return asked(az, args, {
    problem: `your account may not give the role ${role} at ${resourceName(scope)}`,
    fix: `have somebody run it who may (Owner, or Role Based Access Control Administrator, there), then attach again: ${byHand}`,
  });
}

async function asked(
  az: AzureCli,
  args: readonly string[],
  denied: { readonly problem: string; readonly fix: string },
): Promise<unknown> {
  try {
    return await az.json(args);
  } catch (error) {
    if (azDenied(error)) throw failure(denied.problem, denied.fix);
    throw error;
  }
}
