/** The project's own rules for infra/azure. What the language asks for is the compiler's to say: `npm run check:bicep`. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtInRoles } from './built-in-roles.ts';
import { declarationsOf } from './declarations.ts';
import type { Declaration } from './declarations.ts';
import { root, snapshotOf, snapshots } from './snapshots.ts';
import type { Resource, Snapshot } from './snapshots.ts';

const files = globSync('{*,modules/*}.bicep', { cwd: root }).sort();
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const main = declarationsOf(textOf('main.bicep'));

const textOfMember = (one: Resource | undefined, member: string): string => {
  const value = one?.properties[member];
  return typeof value === 'string' ? value : '';
};

/** Built-in or custom, by what its id is. */
function roleName(snapshot: Snapshot, assignment: Resource): string {
  const id = textOfMember(assignment, 'roleDefinitionId').split('/').at(-1) ?? '';
  const builtIn = Object.entries(builtInRoles).find(([, known]) => known === id)?.[0];
  const custom = snapshot.of('Microsoft.Authorization/roleDefinitions').find(({ name }) => name === id);
  return builtIn ?? textOfMember(custom, 'roleName').replace(/ \(.*/, '');
}

/** The scope and the principal of a role assignment, whose name and id are a function of them and of the role. */
function assignmentOf(snapshot: Snapshot, assignment: Resource) {
  const role = textOfMember(assignment, 'roleDefinitionId').split('/').at(-1) ?? '';
  const scope = /'(\/subscriptions\/[^']*)', 'Microsoft\.Authorization/.exec(assignment.id)?.[1];
  const ofApp =
    /guid\('([^']+)', reference\('([^']+)', '[^']+'\)\.(?:principalId|outputs\.\w+\.value)[^,]*, '([^']+)'\)/.exec(
      assignment.name,
    );
  const ofIdentity = ofApp?.[2]?.endsWith('-pull') === true ? 'the pull identity' : 'the app';
  const place = ofApp?.[1] ?? scope ?? assignment.id.split('/providers/Microsoft.Authorization/')[0] ?? '';
  return {
    role: roleName(snapshot, assignment),
    on: place.split('/').slice(-2).join('/'),
    who: ofApp === null ? 'an operator' : ofIdentity,
    isNamedByRole: ofApp === null || ofApp[3] === role,
  };
}

describe('what is declared', () => {
  const words = (one: Declaration): boolean => /^\S.{9,}[.]$/.test(one.description);

  it.each(files)('in %s is described, each in a sentence', (file) => {
    const undescribed = declarationsOf(textOf(file)).filter((one) => !words(one));
    expect(undescribed.map(({ kind, name }) => `${kind} ${name}`)).toEqual([]);
  });

  it('in main.bicep has bounds where it is a number, and a default unless it is the name', () => {
    const numbers = main.filter(({ kind, type }) => kind === 'param' && type === 'int');
    const unbounded = numbers.filter(({ decorators }) => {
      const text = decorators.join('\n');
      return !text.includes('@allowed') && !(text.includes('@minValue') && text.includes('@maxValue'));
    });
    expect(numbers.length).toBeGreaterThan(5);
    expect(unbounded.map(({ name }) => name)).toEqual([]);
    const needed = main.filter(({ kind, hasDefault }) => kind === 'param' && !hasDefault);
    expect(needed.map(({ name }) => name)).toEqual(['installation']);
  });

  it('in main.bicep is no resource, which checkov could not read there, and uses every module', () => {
    const text = textOf('main.bicep');
    expect(text).not.toMatch(/^resource /m);
    const used = [
      ...[...text.matchAll(/'(modules\/[\w-]+\.bicep)'/g)].map(([, path]) => path),
      // A module that another one uses, as what it reads is there only after that.
      ...[...textOf('modules/function-app.bicep').matchAll(/^module \w+ '([\w-]+\.bicep)'/gm)].map(
        ([, name]) => `modules/${name}`,
      ),
    ];
    expect(new Set(used)).toEqual(new Set(files.filter((file) => file !== 'main.bicep')));
  });

  it.each(files)('in %s asks for no key, and depends on no time', (file) => {
    expect(textOf(file)).not.toMatch(/\blist[A-Z]\w*\(|\bnewGuid\(|\butcNow\(/);
  });

  it('has deployment names that ARM takes: 64 letters, digits and "-_.()"', () => {
    const names = [...textOf('main.bicep').matchAll(/^ {2}name: '(.*)'$/gm)].map(([, name = '']) => name);
    const longest = names.map((name) =>
      name
        .replaceAll('${installation}', 'x'.repeat(24))
        .replaceAll(/\$\{(suffix|uniqueString\([^']*\))\}/g, 'x'.repeat(13)),
    );
    expect(names.length).toBeGreaterThan(10);
    expect(longest.filter((name) => !/^[-\w.()]{1,64}$/.test(name))).toEqual([]);
  });
});

it('there is a snapshot of each parameter file', () => {
  const parameters = globSync('*.bicepparam', { cwd: root }).map((file) => file.replace('.bicepparam', ''));
  expect(snapshots.map(({ name }) => name)).toEqual(parameters.sort());
});

describe.each(snapshots.map((snapshot) => [snapshot.name, snapshot] as const))('what %s makes', (name, snapshot) => {
  const tags = name === 'production' ? { environment: 'production', workload: 'serverless-kubelet' } : {};

  it('has tags and the one region wherever it has a region', () => {
    const placed = snapshot.resources.filter(({ location }) => location !== undefined);
    expect(placed.length).toBeGreaterThan(10);
    expect(placed.filter(({ location }) => location !== 'westeurope' && location !== 'global')).toEqual([]);
    expect(placed.filter((one) => one.tags === undefined).map(({ id }) => id)).toEqual([]);
    for (const { tags: own } of placed) expect(own).toMatchObject(tags);
  });

  it('is storage without keys and without public blobs', () => {
    const accounts = snapshot.of('Microsoft.Storage/storageAccounts');
    expect(accounts).toHaveLength(1);
    expect(accounts[0]?.properties).toMatchObject({
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      allowCrossTenantReplication: false,
      defaultToOAuthAuthentication: true,
      minimumTlsVersion: 'TLS1_2',
      supportsHttpsTrafficOnly: true,
    });
    for (const { properties } of snapshot.of('Microsoft.Storage/storageAccounts/blobServices/containers'))
      expect(properties).toEqual({ publicAccess: 'None' });
  });

  it('is an app and a workspace without passwords and keys of their own', () => {
    const policies = snapshot.of('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    expect(policies.map(({ name: path, properties }) => [path.split('/')[1], properties])).toEqual([
      ['scm', { allow: false }],
      ['ftp', { allow: false }],
    ]);
    expect(snapshot.of('Microsoft.OperationalInsights/workspaces')[0]?.properties).toMatchObject({
      features: { disableLocalAuth: true },
    });
    expect(snapshot.of('Microsoft.Insights/components')[0]?.properties).toMatchObject({ DisableLocalAuth: true });
  });

  it('are custom roles of the actions in roles/, each with a name that no other installation has', () => {
    const roles = [
      'container-groups',
      'subscription-reader',
      ...(name === 'main' ? [] : ['subnet-join']),
      // One in each resource group of identities.
      ...(name === 'production' ? ['identity-assign', 'identity-assign'] : []),
    ];
    const wanted = roles.map((role) => JSON.parse(textOf(`roles/${role}.json`)));
    const made = snapshot.of('Microsoft.Authorization/roleDefinitions');
    expect(made.map(({ properties }) => properties['permissions'])).toEqual(
      wanted.map(({ actions }) => [{ actions, notActions: [] }]),
    );
    const names = made.map((one) => textOfMember(one, 'roleName'));
    const installation = name === 'production' ? 'prod-weu' : 'kubelet';
    for (const [index, one] of names.entries())
      expect(one).toMatch(new RegExp(`^${wanted[index].name} \\(${installation}-\\w{13}(, [-\\w]+)?\\)$`));
  });

  it('are role assignments whose names are made of scope, principal and role', () => {
    const assignments = snapshot
      .of('Microsoft.Authorization/roleAssignments')
      .map((one) => assignmentOf(snapshot, one));
    expect(assignments.filter(({ isNamedByRole }) => !isNamedByRole)).toEqual([]);
    expect(new Set(snapshot.of('Microsoft.Authorization/roleAssignments').map(({ id }) => id)).size).toBe(
      assignments.length,
    );
  });
});

describe('identities that pods get', () => {
  const production = snapshotOf('production');
  const [app] = production.of('Microsoft.Web/sites');
  const settings = production.of('Microsoft.Web/sites/config')[0]?.properties ?? {};
  const byRole = (role: string) =>
    production
      .of('Microsoft.Authorization/roleAssignments')
      .map((one) => assignmentOf(production, one))
      .filter((one) => one.role === role);

  it.each(snapshots.map((snapshot) => [snapshot.name, snapshot] as const))(
    'in %s: whoever pulls images has that role alone, and is not the app',
    (_, snapshot) => {
      const assignments = snapshot
        .of('Microsoft.Authorization/roleAssignments')
        .map((one) => assignmentOf(snapshot, one));
      expect(assignments.filter(({ who }) => who === 'the pull identity').map(({ role }) => role)).toEqual(
        assignments.filter(({ role }) => role === 'acrPull').map(({ role }) => role),
      );
    },
  );

  it('are the pull identity and those that are named, and the app may give no other', () => {
    const role = 'serverless-kubelet identity assign';
    expect(byRole(role).map(({ who, on }) => `${who}: ${on}`)).toEqual([
      'the app: userAssignedIdentities/serverless-kubelet-prod-weu-pull',
      'the app: userAssignedIdentities/reports',
      'the app: userAssignedIdentities/billing',
    ]);
    expect(byRole('acrPull').map(({ who, on }) => `${who}: ${on}`)).toEqual([
      'the pull identity: registries/prodimages',
    ]);
  });

  it('pull for ACI and for the app by the settings, and the app has that one besides its own', () => {
    const [, pull = ''] = /"([^"]*-pull)":/.exec(JSON.stringify(app?.identity)) ?? [];
    expect(app?.identity).toMatchObject({ type: 'UserAssigned' });
    expect(Object.keys(app?.identity?.userAssignedIdentities ?? {}).map((id) => id.split('/').at(-1))).toEqual([
      'serverless-kubelet-prod-weu-identity',
      'serverless-kubelet-prod-weu-pull',
    ]);
    expect(settings['REGISTRY_PULL_CLIENT_ID']).toContain(`reference('${pull}', '2024-11-30').clientId`);
    expect(settings['REGISTRY_PULL_IDENTITIES']).toContain('.loginServer');
    expect(settings['REGISTRY_PULL_IDENTITIES']).toContain(pull);
    const none = snapshotOf('vnet').of('Microsoft.Web/sites/config')[0]?.properties;
    expect(none).toMatchObject({ REGISTRY_PULL_CLIENT_ID: '', REGISTRY_PULL_IDENTITIES: '' });
  });
});

it('production gives the app and its operators these roles, on these scopes, and no others', () => {
  const snapshot = snapshotOf('production');
  const assignments = snapshot.of('Microsoft.Authorization/roleAssignments').map((one) => assignmentOf(snapshot, one));
  expect(assignments.map(({ role, on, who }) => `${who}: ${role} on ${on}`)).toMatchInlineSnapshot(`
    [
      "the pull identity: acrPull on registries/prodimages",
      "the app: blobDataOwner on storageAccounts/kubeletzpm2uli2lthxu",
      "the app: tableDataContributor on storageAccounts/kubeletzpm2uli2lthxu",
      "the app: monitoringMetricsPublisher on components/serverless-kubelet-prod-weu-insights",
      "an operator: blobDataContributor on containers/serverless-kubelet",
      "an operator: tableDataContributor on storageAccounts/kubeletzpm2uli2lthxu",
      "the app: serverless-kubelet container groups on resourceGroups/aci-pods",
      "the app: serverless-kubelet subscription reader on subscriptions/00000000-0000-4000-8000-000000000000",
      "the app: serverless-kubelet subnet join on subnets/serverless-kubelet-container-groups",
      "the app: serverless-kubelet identity assign on userAssignedIdentities/serverless-kubelet-prod-weu-pull",
      "the app: serverless-kubelet identity assign on userAssignedIdentities/reports",
      "the app: serverless-kubelet identity assign on userAssignedIdentities/billing",
      "the app: keyVaultSecretsUser on vaults/kubelet-secrets",
    ]
  `);
});
