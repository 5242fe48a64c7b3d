import { describe, expect, it } from 'vitest';
import { gatherPull } from '../../../infra/cli/attach/pull-facts.ts';
import { performPull } from '../../../infra/cli/attach/perform-pull.ts';
import { describePullStep, planPull } from '../../../infra/cli/attach/pull-plan.ts';
import { parseRegistries } from '../../../infra/cli/attach/registry-wants.ts';
import { attachOptions } from '../../../infra/cli/attach/wants.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { createOutput } from '../../../infra/cli/output.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { settingsOf } from '../../fixtures/settings.ts';
import { azureOver, identityId, newAzure, registryId } from './azure-stand-in.ts';
import type { AzureState } from './azure-stand-in.ts';

const source = { kind: 'azure', app: 'kubelet', resourceGroup: 'apps', subscription: undefined } as const;
const ownClientId = '11111111-1111-4111-8111-111111111111';
const pull = { id: identityId('serverless-kubelet-sk-pull'), clientId: 'client of serverless-kubelet-sk-pull' };
const guid = '22222222-2222-4222-8222-222222222222';
const other = { id: identityId('images'), clientId: guid, principalId: 'principal of images' };

/** `attach --acr` over that Azure: what would be done, what was done, the commands of az that change something, and what was said. */
async function attachAcr(
  state: AzureState,
  names: readonly string[],
  { dryRun = false, appPrincipalId = 'the app' } = {},
) {
  const said: string[] = [];
  const stream = { write: (text: string) => void said.push(text) };
  const { az, changes } = azureOver(state);
  const context = { az, out: createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} }) };
  const values = settingsOf(undefined, { AZURE_CLIENT_ID: ownClientId, ...state.settings });
  // The stand-in's client ids say whose they are; the setting wants a GUID.
  const parsed = parseSettings({ ...values, REGISTRY_PULL_CLIENT_ID: guid });
  if (!parsed.ok) throw new Error('the settings are not valid');
  const settings = { ...parsed.settings, REGISTRY_PULL_CLIENT_ID: state.settings['REGISTRY_PULL_CLIENT_ID'] };
  const own = { id: identityId('serverless-kubelet-sk-identity'), clientId: ownClientId, principalId: 'the app' };
  const identities = [own, ...state.identities.filter(({ id }) => state.attached.includes(id))];
  const facts = await gatherPull(context, {
    source,
    app: { source, values, settings },
    appFacts: { url: 'https://app', principalId: appPrincipalId === '' ? undefined : appPrincipalId, identities },
    registries: parseRegistries(
      parseOptions(
        names.flatMap((name) => ['--acr', name]),
        attachOptions,
      ),
    ),
  });
  const plan = planPull(facts).map((step) => describePullStep(step, facts));
  const done = dryRun ? [] : await performPull(context, { source, appPrincipalId, facts });
  return { plan, done, commands: changes, said: said.join('') };
}

const createRole = (principal: string, role: string, scope: string): string =>
  `role assignment create --assignee-object-id ${principal} --assignee-principal-type ServicePrincipal --role ${role} --scope ${scope}`;
const principalId = 'principal of serverless-kubelet-sk-pull';
const assignRight = createRole('the app', 'Managed Identity Operator', pull.id);
const attachIt = `functionapp identity assign --name kubelet --resource-group apps --identities ${pull.id}`;
const writeIt = 'functionapp config appsettings set --name kubelet --resource-group apps --settings @FILE';

describe('attach --acr', () => {
  it('makes an identity that may pull and nothing else, lets the app give it to groups, and writes the settings last', async () => {
    const state = newAzure();
    const { commands, done } = await attachAcr(state, ['prodimages']);
    expect(commands).toEqual([
      'identity create --name serverless-kubelet-sk-pull --resource-group apps',
      createRole(principalId, 'AcrPull', registryId('prodimages')),
      assignRight,
      attachIt,
      writeIt,
    ]);
    expect(done).toHaveLength(5);
    expect(state.settings).toEqual({
      REGISTRY_PULL_IDENTITIES: JSON.stringify({ 'prodimages.azurecr.io': pull.id }),
      REGISTRY_PULL_CLIENT_ID: pull.clientId,
    });
    expect(state.assignments.filter(({ principal }) => principal === principalId)).toEqual([
      { principal: principalId, role: 'AcrPull', scope: registryId('prodimages') },
    ]);
  });

  it('finds it done the second time', async () => {
    const state = newAzure();
    await attachAcr(state, ['prodimages']);
    expect(await attachAcr(state, ['prodimages', registryId('prodimages')])).toEqual({
      plan: [],
      done: [],
      commands: [],
      said: '',
    });
  });

  it('finds what a deployment with containerRegistryId made: its role for the app is a custom one', async () => {
    const state = newAzure();
    await attachAcr(state, ['prodimages']);
    state.assignments = state.assignments.map((one) =>
      one.role === 'AcrPull' ? one : { ...one, role: 'serverless-kubelet identity assign (prod-x, apps)' },
    );
    expect((await attachAcr(state, ['prodimages'])).commands).toEqual([]);
  });

  it('gives a second registry the same identity, and keeps the first one’s', async () => {
    const state = newAzure();
    await attachAcr(state, ['prodimages']);
    const { commands } = await attachAcr(state, ['teamimages']);
    expect(commands).toEqual([createRole(principalId, 'AcrPull', registryId('teamimages')), writeIt]);
    expect(JSON.parse(state.settings['REGISTRY_PULL_IDENTITIES'] ?? '')).toEqual({
      'prodimages.azurecr.io': pull.id,
      'teamimages.azurecr.io': pull.id,
    });
  });

  it.each([
    [
      'AcrPull',
      (state: AzureState) => (state.assignments = state.assignments.filter(({ role }) => role !== 'AcrPull')),
      createRole(principalId, 'AcrPull', registryId('prodimages')),
    ],
    [
      'the right of the app',
      (state: AzureState) => (state.assignments = state.assignments.filter(({ role }) => role === 'AcrPull')),
      assignRight,
    ],
    ['the identity of the app', (state: AzureState) => (state.attached = []), attachIt],
    ['one of the settings', (state: AzureState) => delete state.settings['REGISTRY_PULL_CLIENT_ID'], writeIt],
  ])('does only what is missing: %s', async (_, undo, command) => {
    const state = newAzure();
    await attachAcr(state, ['prodimages']);
    undo(state);
    expect((await attachAcr(state, ['prodimages'])).commands).toEqual([command]);
  });

  it('says with --dry-run what would be done, and does nothing', async () => {
    const state = newAzure();
    const { plan, commands } = await attachAcr(state, ['prodimages'], { dryRun: true });
    expect(plan).toEqual([
      'make the identity serverless-kubelet-sk-pull in the resource group apps',
      'give serverless-kubelet-sk-pull the role AcrPull at prodimages.azurecr.io',
      'let the app give serverless-kubelet-sk-pull to container groups (Managed Identity Operator at that identity)',
      'attach serverless-kubelet-sk-pull to the app',
      'write serverless-kubelet-sk-pull into REGISTRY_PULL_IDENTITIES for prodimages.azurecr.io, and into REGISTRY_PULL_CLIENT_ID',
    ]);
    expect([commands, state]).toEqual([[], newAzure()]);
  });

  it('takes the identity that the settings name already, and says what more it may', async () => {
    const state: AzureState = { ...newAzure(), identities: [other], settings: { REGISTRY_PULL_CLIENT_ID: guid } };
    state.assignments.push({ principal: other.principalId, role: 'Contributor', scope: registryId('prodimages') });
    const { commands, said } = await attachAcr(state, ['prodimages']);
    expect(commands.some((command) => command.startsWith('identity create'))).toBe(false);
    expect(JSON.parse(state.settings['REGISTRY_PULL_IDENTITIES'] ?? '')).toEqual({ 'prodimages.azurecr.io': other.id });
    expect(said).toMatch(
      /images has the role Contributor at .*: every container of a group that pulls with it can use that/,
    );
  });
});

describe('attach --acr stops with a sentence', () => {
  const byHand = `az ${createRole(principalId, 'AcrPull', registryId('prodimages'))}`.replace(
    principalId,
    `"${principalId}"`,
  );
  it.each<[string, (state: AzureState) => void, RegExp, string]>([
    [
      'where there is no such registry',
      (state) => (state.registries = []),
      /^there is no registry prodimages there$/,
      'resource id',
    ],
    [
      'where it may not be read',
      (state) => state.denied.push('acr show'),
      /^your account may not read the registry prodimages$/,
      'Reader',
    ],
    [
      'where the setting is the app’s own identity',
      (state) => (state.settings = { REGISTRY_PULL_CLIENT_ID: ownClientId }),
      /^REGISTRY_PULL_CLIENT_ID is the app's own identity, /,
      'take the setting away',
    ],
    [
      'where nobody knows whose the setting is',
      (state) => (state.settings = { REGISTRY_PULL_CLIENT_ID: guid }),
      /is 22222222-.* neither the app nor its resource group has$/,
      'az functionapp identity assign',
    ],
    [
      'where roles may not be read',
      (state) => {
        state.identities.push({ ...other, id: pull.id });
        state.denied.push('role assignment list');
      },
      /^who may do what at serverless-kubelet-sk-pull could not be read: /,
      'docs/deploy.md',
    ],
    [
      'where no identity may be made',
      (state) => state.denied.push('identity create'),
      /^your account may not make an identity in the resource group apps$/,
      'Managed Identity Contributor',
    ],
    [
      'where no role may be given, with the command for somebody who may',
      (state) => state.denied.push('role assignment create'),
      /^your account may not give the role AcrPull at prodimages$/,
      byHand,
    ],
    [
      'where the app may not be changed',
      (state) => state.denied.push('functionapp identity assign'),
      /^your account may not attach serverless-kubelet-sk-pull to the app$/,
      'Website Contributor',
    ],
  ])('%s', async (_, change, problem, fix) => {
    const state = newAzure();
    change(state);
    await expect(attachAcr(state, ['prodimages'])).rejects.toMatchObject({
      message: expect.stringMatching(problem),
      fix: expect.stringContaining(fix),
    });
  });

  it('where the app is nobody', async () => {
    await expect(attachAcr(newAzure(), ['prodimages'], { appPrincipalId: '' })).rejects.toThrow(
      /no identity that is known/,
    );
  });
});

describe('a registry on the command line', () => {
  it.each([
    ['prodimages', { name: 'prodimages' }],
    [
      registryId('prodimages'),
      { name: 'prodimages', place: { subscription: '00000000-0000-4000-8000-000000000001', resourceGroup: 'images' } },
    ],
  ])('%s', (text, wanted) => {
    expect(parseRegistries(parseOptions(['--acr', text], attachOptions))).toEqual([wanted]);
  });
  it.each([
    ['prodimages.azurecr.io', 'write --acr prodimages'],
    ['docker.io', 'az acr list --query "[].id" shows the ids'],
    [identityId('images'), 'az acr list --query "[].id" shows the ids'],
  ])('%s is refused', (text, fix) => {
    const parse = () => parseRegistries(parseOptions(['--acr', text], attachOptions));
    expect(parse).toThrow(expect.objectContaining({ message: expect.stringContaining(`not "${text}"`), fix }));
  });
  it('is refused with a settings file', () => {
    const options = parseOptions(['--acr', 'prodimages', '--settings', 'f'], attachOptions);
    expect(() => parseRegistries(options)).toThrow(
      '--acr asks Azure for the registry and the app, and --settings names a file',
    );
  });
});
