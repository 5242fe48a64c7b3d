/** What a Bicep compiler would say, as far as it can be said without one. */
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { argumentsOf, type BicepFile, descriptionOf, modelOf, readBicep } from './bicep/model.ts';
import { deploymentNameFaults, memberFaults, moduleFaults } from './bicep/modules.ts';
import { conditionFaults, startFaults, symbolFaults } from './bicep/symbols.ts';
import { membersOf, namedChildren, nodesOf, placeOf, stringOf, syntaxFaults } from './bicep/tree.ts';
import { apiVersions } from './api-versions.ts';
import { builtInRoles } from './built-in-roles.ts';

const root = join(import.meta.dirname, '..', '..', '..', 'infra', 'azure');
const paths = [...globSync('*.bicep', { cwd: root }), ...globSync('modules/*.bicep', { cwd: root })].sort();
const at = (path: string): string => join(root, path);

const versionFaults = (file: BicepFile): readonly string[] =>
  file.resources
    .filter(({ type, apiVersion }) => apiVersions[type] !== apiVersion)
    .map(({ type, apiVersion }) => `${type}@${apiVersion}, not ${apiVersions[type] ?? 'in the table'}`);

/** Parameters, outputs and types without a sentence. */
const descriptionFaults = (file: BicepFile): readonly string[] =>
  [...file.parameters, ...file.outputs, ...file.types]
    .filter((declaration) => !/^\S.{9,}[.]$/.test(descriptionOf(declaration)))
    .map(({ name }) => `${name} is not described`);

/** What is deployed somewhere has tags; only a parameter says where. */
const placeFaults = (file: BicepFile): readonly string[] =>
  file.resources
    .filter(({ body }) => body.has('location'))
    .flatMap(({ name, body }) => [
      ...(body.has('tags') ? [] : [`${name} has no tags`]),
      ...(['location', "'global'"].includes(body.get('location')?.text ?? '') ? [] : [`${name} chooses its region`]),
    ]);

/** A role assignment has a name that is the same each time, a scope's id and the principal in it. */
const assignmentFaults = (file: BicepFile): readonly string[] =>
  file.resources
    .filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments')
    .filter(({ body }) => !/^guid\(.+(\.id|Id), (principalId|operator), \w+\)$/.test(body.get('name')?.text ?? ''))
    .map(({ name }) => `${name} has a name of another form`);

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A role's id is that of the role which its variable names. */
const roleFaults = (file: BicepFile): readonly string[] =>
  file.variables
    .map(({ name, node }) => ({ name, id: stringOf(namedChildren(node).at(-1)) }))
    .filter(({ name, id }) => guid.test(id) && builtInRoles[name] !== id)
    .map(({ name }) => `${name} is not the id of that role`);

/** A custom role's name is unique in the tenant, so it tells the scope that its id is made of. */
const customRoleFaults = (file: BicepFile): readonly string[] =>
  file.resources
    .filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions')
    .filter(({ body }) => {
      const properties = body.get('properties');
      const name = properties === undefined ? '' : (membersOf(properties).get('roleName')?.text ?? '');
      const isOfGroup = (file.targetScope || 'resourceGroup') === 'resourceGroup';
      return !name.includes('${installationKey') || (isOfGroup && !name.includes('${resourceGroup().name}'));
    })
    .map(({ name }) => `${name} has a name that another may have`);

/** A child names its parent by `parent`, not by a slash. */
const parentFaults = (file: BicepFile): readonly string[] =>
  file.resources
    .filter(({ type, body }) => type.split('/').length > 2 && !body.has('parent'))
    .map(({ name }) => `${name} has no parent`);

/** Values that a compiler's linter wants from functions, and functions that give keys away. */
const forbiddenFaults = (file: BicepFile): readonly string[] =>
  [...nodesOf(file.root)]
    .filter(
      (node) =>
        (node.type === 'string_content' &&
          /core\.windows\.net|management\.azure\.com|vault\.azure\.net/.test(node.text)) ||
        (node.type === 'call_expression' && /^(\w+\.)?(list[A-Z]\w*|newGuid|utcNow|reference)\(/.test(node.text)),
    )
    .map(placeOf);

const checks: Readonly<Record<string, (file: BicepFile, path: string) => readonly string[]>> = {
  'has no syntax fault': (file) => syntaxFaults(file.root),
  'knows and uses every symbol': symbolFaults,
  'describes every parameter, output and type': descriptionFaults,
  'calls modules as they are': (file, path) => [...moduleFaults(path, file), ...memberFaults(file)],
  'has the API versions of the table': versionFaults,
  'knows names, scopes and conditions at the start': startFaults,
  'reads what may be absent with care': conditionFaults,
  'has tags, and its region from a parameter': placeFaults,
  'names role assignments by scope, principal and role': assignmentFaults,
  'names deployments as ARM takes it': deploymentNameFaults,
  'names built-in roles by their ids': roleFaults,
  'names custom roles so that no other has the name': customRoleFaults,
  'names parents as parents': parentFaults,
  'hard-codes no address and asks for no key': forbiddenFaults,
};

describe.each(paths)('%s', (path) => {
  const file = readBicep(at(path));
  it.each(Object.entries(checks))('%s', (_, check) => {
    expect(check(file, at(path))).toEqual([]);
  });
});

describe('main.bicep', () => {
  const main = readBicep(at('main.bicep'));

  it('declares no resource of its own: checkov cannot read it', () => {
    expect(main.resources).toEqual([]);
  });

  it('has parameters that say what they allow', () => {
    const numbers = main.parameters.filter(({ type }) => type === 'int');
    const unbounded = numbers.filter(
      ({ decorators }) =>
        argumentsOf(decorators, 'allowed').length === 0 &&
        (argumentsOf(decorators, 'minValue').length === 0 || argumentsOf(decorators, 'maxValue').length === 0),
    );
    expect(unbounded.map(({ name }) => name)).toEqual([]);
    expect(main.parameters.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name)).toEqual(['installation']);
  });

  it('uses every module file, and no other', () => {
    const used = main.modules.map((module) => module.path).sort();
    expect(used).toEqual(paths.filter((path) => path !== 'main.bicep'));
  });

  it('has storage without keys and public access', () => {
    const account = readBicep(at('modules/storage.bicep')).resources.find(({ name }) => name === 'account');
    const properties = account?.body.get('properties');
    const values = properties === undefined ? new Map() : membersOf(properties);
    const told = ['allowSharedKeyAccess', 'allowBlobPublicAccess', 'minimumTlsVersion', 'defaultToOAuthAuthentication'];
    expect(told.map((name) => values.get(name)?.text)).toEqual(['false', 'false', "'TLS1_2'", 'true']);
  });
});

/** Each check, shown a fault that it is for. */
const broken: readonly (readonly [string, string, RegExp])[] = [
  ['has no syntax fault', "param a string = 'x\nvar b = {", /1|2/],
  ['knows and uses every symbol', 'param a string\noutput b string = c', /unknown symbol at 2: c/],
  ['knows and uses every symbol', 'param a string', /a is never used/],
  ['knows and uses every symbol', 'var a = 1\nvar a = 2\noutput b int = a', /a is declared twice/],
  ['knows and uses every symbol', "output b string = uniqeString('a')", /unknown function uniqeString/],
  ['knows and uses every symbol', "resource a 'A/b@1' existing = {\n  name: 'a'\n}", /a is never used/],
  ['knows and uses every symbol', 'output a array = map([1], x => y)', /unknown symbol at 1: y/],
  ['describes every parameter, output and type', 'param a string', /a is not described/],
  [
    'describes every parameter, output and type',
    "@description('Says what it is.')\nparam a string\noutput b string = a",
    /b is not described/,
  ],
  [
    'calls modules as they are',
    "module a 'modules/identity.bicep' = {\n  name: 'a'\n  params: {\n    name: 'n'\n    tags: {}\n  }\n}",
    /a misses location/,
  ],
  [
    'calls modules as they are',
    "module a 'modules/identity.bicep' = {\n  name: 'a'\n  params: {\n    name: 'n'\n    tags: {}\n    location: 'l'\n    place: 'p'\n  }\n}",
    /a knows no place/,
  ],
  [
    'calls modules as they are',
    "module a 'modules/identity.bicep' = {\n  name: 'a'\n}\noutput b string = a.outputs.objectId",
    /a has no output objectId/,
  ],
  ['calls modules as they are', "module a 'modules/subscription-role.bicep' = {\n  name: 'a'\n}", /another scope/],
  [
    'calls modules as they are',
    "module a 'modules/identity.bicep' = {\n  name: 'a'\n}\noutput b string = a.principalId",
    /a\.principalId/,
  ],
  [
    'has the API versions of the table',
    "resource a 'Microsoft.Web/sites@2024-04-01' = {\n  name: 'a'\n}",
    /not 2025-03-01/,
  ],
  [
    'has the API versions of the table',
    "resource a 'Microsoft.Sql/servers@2024-04-01' = {\n  name: 'a'\n}",
    /not in the table/,
  ],
  [
    'knows names, scopes and conditions at the start',
    "resource a 'A/b@1' = {\n  name: 'a'\n}\nvar late = a.properties.x\nresource c 'A/b@1' = {\n  name: 'c-${late}'\n}",
    /not known at the start/,
  ],
  [
    'knows names, scopes and conditions at the start',
    "module a 'a.bicep' = {\n  name: 'a'\n}\nmodule b 'b.bicep' = if (a.outputs.yes) {\n  name: 'b'\n}",
    /not known at the start/,
  ],
  [
    'knows names, scopes and conditions at the start',
    "module a 'a.bicep' = {\n  name: 'a'\n}\nresource b 'A/b@1' = [\n  for x in a.outputs.all: {\n    name: x\n  }\n]",
    /not known at the start/,
  ],
  [
    'names deployments as ARM takes it',
    "module a 'a.bicep' = {\n  name: '${installation}-a-deployment-with-a-very-long-name-${suffix}'\n}",
    /a has a name that ARM may refuse/,
  ],
  [
    'names built-in roles by their ids',
    "var blobDataOwner = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'",
    /blobDataOwner is not the id/,
  ],
  [
    'names custom roles so that no other has the name',
    "resource a 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {\n  name: 'a'\n  properties: {\n    roleName: 'a (${installationKey})'\n  }\n}",
    /another may have/,
  ],
  [
    'reads what may be absent with care',
    "module a 'a.bicep' = if (true) {\n  name: 'a'\n}\noutput b string = a.outputs.c",
    /may be absent/,
  ],
  [
    'reads what may be absent with care',
    "resource a 'A/b@1' = [\n  for x in [1]: if (true) {\n    name: 'a'\n  }\n]\noutput b string = a[0].properties.c",
    /may be absent/,
  ],
  [
    'has tags, and its region from a parameter',
    "resource a 'A/b@1' = {\n  name: 'a'\n  location: 'westeurope'\n}",
    /a has no tags[^]*a chooses its region/,
  ],
  [
    'names role assignments by scope, principal and role',
    "resource a 'Microsoft.Authorization/roleAssignments@2022-04-01' = {\n  name: guid('a')\n}",
    /another form/,
  ],
  ['names parents as parents', "resource a 'A/b/c@1' = {\n  name: 'a/c'\n}", /a has no parent/],
  ['hard-codes no address and asks for no key', "output a string = 'https://x.blob.core.windows.net'", /core/],
  ['hard-codes no address and asks for no key', 'output a string = account.listKeys().keys[0].value', /listKeys/],
];

describe('each check finds its fault', () => {
  it.each(broken)('%s: %j', (name, text, sentence) => {
    expect(checks[name]?.(modelOf(text), at('main.bicep')).join('\n')).toMatch(sentence);
  });

  it('and every check is shown one', () => {
    expect(Object.keys(checks).filter((name) => !broken.some(([shown]) => shown === name))).toEqual([]);
  });
});

it('reads files by their names', () => {
  expect(paths.map((path) => basename(path))).toContain('main.bicep');
});
