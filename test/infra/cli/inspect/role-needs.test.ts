import { describe, expect, it } from 'vitest';
import { judgeRole } from '../../../../infra/cli/inspect/role-judgements.ts';
import { grantNeeds, roleNeeds } from '../../../../infra/cli/inspect/role-needs.ts';
import { read } from '../../../../infra/cli/inspect/observed.ts';
import type { PodGrant } from '../../../../shared/core/pod/grant.ts';
import { parseSettings } from '../../../../shared/wire/settings.ts';
import { settingsOf } from '../../../fixtures/settings.ts';

const subscription = '/subscriptions/00000000-0000-4000-8000-000000000000';
const identity = (name: string): string =>
  `${subscription}/resourceGroups/team-a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
const subnet = (name: string): string =>
  `${subscription}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/prod/subnets/${name}`;
const parsed = parseSettings(
  settingsOf(undefined, {
    ACI_SUBNET_ID: subnet('pods'),
    REGISTRY_PULL_IDENTITIES: JSON.stringify({
      'images.azurecr.io': identity('pull'),
      'teamb.azurecr.io': identity('PULL'),
    }),
  }),
);
if (!parsed.ok) throw new Error('the settings are not valid');
const { settings } = parsed;
const grant = (changes: Partial<PodGrant>): PodGrant => ({
  namespace: 'team-a',
  identities: [],
  subnets: [],
  logAnalytics: [],
  publicAddress: false,
  ...changes,
});

const needed = (...grants: readonly PodGrant[]): readonly string[] =>
  grantNeeds(settings, [{ grants: [...grants] }, {}]).map(({ name, wanted }) => `${name}: ${wanted.join(', ')}`);

describe('what the app needs at Azure', () => {
  it('is the right to give each pull identity, once', () => {
    const names = roleNeeds(settings, undefined).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('role: identity'))).toEqual(['role: identity pull']);
  });

  it.each<[string, readonly PodGrant[], readonly string[]]>([
    ['no grants', [], []],
    [
      'an identity, named twice',
      [grant({ identities: [identity('reports')] }), grant({ identities: [identity('Reports')] })],
      ['role: identity reports: Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'],
    ],
    ['the pull identity, which the settings need already', [grant({ identities: [identity('pull')] })], []],
    [
      'another subnet than that of the settings',
      [grant({ subnets: ['none', subnet('Pods'), subnet('other')] })],
      ['role: subnet other: Microsoft.Network/virtualNetworks/subnets/join/action'],
    ],
    ['workspaces and public addresses', [grant({ logAnalytics: ['audit'], publicAddress: true })], []],
  ])('for grants: %s', (_, grants, names) => expect(needed(...grants)).toEqual(names));

  it.each([
    [
      grant({ identities: [identity('reports')] }),
      /--role "Managed Identity Operator" --scope .*\/reports, or deploy infra\/azure with it in podIdentityIds/,
    ],
    [
      grant({ subnets: [subnet('other')] }),
      /--role "Network Contributor" --scope .*\/other, or a role of your own that has this action alone/,
    ],
  ])('is said with the fix', (one, fix) => {
    const [need] = grantNeeds(settings, [{ grants: [one] }]);
    if (need === undefined) throw new Error('nothing is needed');
    expect(judgeRole(need, read([]), 'p')).toMatchObject({ verdict: 'failed', fix: expect.stringMatching(fix) });
  });
});
