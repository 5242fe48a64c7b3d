import { describe, expect, it } from 'vitest';
import { appRoleName, installationRoles } from '../../../shared/core/access/roles.ts';
import type { Program } from '../../../shared/core/access/roles.ts';

const place = { namespace: 'sk', nodes: ['aci-1', 'aci-2'] };
const roles = installationRoles(place);
const rulesOf = (program: Program) => roles.filter((role) => role.program === program).flatMap(({ rules }) => rules);

/** `verb resource` of what is granted without a name. */
const unnamed = (program: Program): readonly string[] =>
  rulesOf(program)
    .filter(({ resourceNames }) => resourceNames === undefined)
    .flatMap(({ verbs, resources }) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)));

describe('the rights of an installation', () => {
  it('let the app impersonate its nodes, by name, and no group but that of nodes', () => {
    const impersonated = rulesOf('app').filter((rule) => rule.verbs.includes('impersonate'));
    expect(impersonated.map((rule) => [rule.resources[0], rule.resourceNames])).toEqual([
      ['users', ['system:node:aci-1', 'system:node:aci-2']],
      ['groups', ['system:nodes']],
    ]);
  });

  it('name every object, but for what RBAC cannot name', () => {
    expect(unnamed('app')).toEqual([]);
    expect(unnamed('relay')).toEqual([
      'list pods',
      'watch pods',
      'create events',
      'patch events',
      'create tokenreviews',
      'create subjectaccessreviews',
    ]);
    expect(unnamed('drain')).toEqual(['list pods', 'delete pods', 'create pods/eviction']);
  });

  it('let the account of the Services list and watch what a kube-proxy reads, and nothing else', () => {
    const reach = installationRoles({ ...place, services: true });
    const own = reach.filter(({ program }) => program === 'services');
    expect(own.flatMap(({ rules }) => rules.flatMap(({ resources }) => resources))).toEqual([
      'services',
      'endpoints',
      'nodes',
      'endpointslices',
    ]);
    expect(new Set(own.flatMap(({ rules }) => rules.flatMap(({ verbs }) => verbs)))).toEqual(
      new Set(['list', 'watch']),
    );
    const secrets = reach.filter(({ rules }) => rules.some(({ resources }) => resources.includes('secrets')));
    expect(secrets).toMatchObject([
      { program: 'app', namespace: 'sk', rules: [{ verbs: ['get'], resourceNames: ['services-a', 'services-b'] }] },
    ]);
  });

  it('hold no wildcard, no Secret and no ConfigMap, and no way to more rights', () => {
    const words = roles.flatMap(({ rules }) =>
      rules.flatMap((rule) => [...rule.apiGroups, ...rule.resources, ...rule.verbs]),
    );
    expect(words.filter((word) => ['*', 'secrets', 'configmaps', 'escalate', 'bind'].includes(word))).toEqual([]);
  });

  it('keep two installations of one cluster apart by the names of their roles', () => {
    const others = installationRoles({ ...place, namespace: 'other' });
    const nameOf = ({ name, namespace }: (typeof roles)[number]): string => `${namespace ?? ''}/${name}`;
    expect(roles.map(nameOf).filter((one) => others.map(nameOf).includes(one))).toEqual([]);
    expect(roles[0]?.name).toBe(appRoleName('sk'));
  });

  it('are refused without a node: an empty list of names would mean every node', () => {
    expect(() => installationRoles({ ...place, nodes: [] })).toThrow(/at least one node/);
  });
});
