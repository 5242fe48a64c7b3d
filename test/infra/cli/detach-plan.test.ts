import { describe, expect, it } from 'vitest';
import { isTokenGood, readToken } from '../../../infra/cli/attach/app-token.ts';
import { groupsOfCluster, withState, withoutCluster, withoutNodes } from '../../../infra/cli/detach/plan.ts';
import { groupTags } from '../../../shared/core/group/identity.ts';
import { parseRegistrations } from '../../../shared/wire/settings.ts';
import { defined } from '../../../shared/core/defined.ts';

const uid = '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a77';
const other = '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a78';
const registration = (of: string) => ({
  name: of,
  uid: of,
  server: 'https://prod',
  auth: { kind: 'entra' },
  version: 'v1.36.3',
  relay: { audience: 'a', serviceAccount: 'ns:relay' },
  nodes: ['a', 'b'].map((name, index) => ({ name, address: '10.0.0.1', port: 10_250 + index })),
});
const parsed = parseRegistrations(JSON.stringify({ clusters: [registration(uid), registration(other)] }));
const clusters = parsed.ok ? parsed.clusters : [];
const states = (list: typeof clusters | undefined) => list?.map(({ nodes }) => nodes.map(({ state }) => state));

describe('the registrations while a cluster leaves', () => {
  it('moves the nodes that are named, of that cluster', () => {
    const draining = withState(clusters, { uid, nodes: ['a'], state: 'draining' });
    expect(states(draining)).toEqual([
      ['draining', 'active'],
      ['active', 'active'],
    ]);
  });
  it('never moves a removed node back, and writes nothing twice', () => {
    const removed = withState(clusters, { uid, nodes: ['a', 'b'], state: 'removed' }) ?? [];
    expect(withState(removed, { uid, nodes: ['a', 'b'], state: 'draining' })).toBe(undefined);
    expect(withState(removed, { uid, nodes: ['a', 'b'], state: 'removed' })).toBe(undefined);
  });
  it('takes nodes out, and the cluster with the last of them', () => {
    expect(withoutNodes(clusters, uid, ['a'])?.map(({ nodes }) => nodes.length)).toEqual([1, 2]);
    expect(withoutNodes(clusters, uid, ['a', 'b'])?.map((cluster) => cluster.uid)).toEqual([other]);
    expect(withoutNodes(clusters, uid, [])).toBe(undefined);
    expect(withoutCluster(clusters, uid)?.map((cluster) => cluster.uid)).toEqual([other]);
    expect(withoutCluster(clusters, 'none')).toBe(undefined);
  });
});

describe('the groups of a cluster', () => {
  const owner = { installation: 'weu', cluster: uid, node: 'a', namespace: 'n', name: 'p', uid: 'u' };
  const group = (changed: Partial<typeof owner>, name: string) => ({
    name,
    tags: groupTags({ ...owner, ...changed }, 'h'),
    provisioningState: 'Succeeded',
    cpu: 1,
  });
  it('are those whose tags say so: installation, cluster, and node where asked', () => {
    const all = [
      group({}, 'ours'),
      group({ node: 'b' }, 'ours-on-b'),
      group({ cluster: other }, 'of-another-cluster'),
      group({ installation: 'neu' }, 'of-another-installation'),
      { name: 'no-tags', tags: { 'kubernetes-cluster': uid }, provisioningState: 'Succeeded', cpu: 1 },
    ];
    const names = (nodes?: string[]) =>
      groupsOfCluster(all, { installation: 'weu', uid, ...defined({ nodes }) }).map(({ name }) => name);
    expect(names()).toEqual(['ours', 'ours-on-b']);
    expect(names(['b'])).toEqual(['ours-on-b']);
  });
});

describe("the app's token", () => {
  const hour = 3_600_000;
  const token = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  const good = { iat: 0, exp: 90 * 24 * 3600, 'kubernetes.io': { serviceaccount: { uid: 'sa' } } };
  it.each<[string, string, string, number, boolean]>([
    ['a fresh one', token(good), 'sa', 0, true],
    ['one with a week left', token(good), 'sa', 83 * 24 * hour, false],
    ['one of a ServiceAccount that was made anew', token(good), 'new', 0, false],
    ['a short one in its first half', token({ ...good, exp: 3600 }), 'sa', 0.4 * hour, true],
    ['a short one in its second half', token({ ...good, exp: 3600 }), 'sa', 0.6 * hour, false],
    ['none', '', 'sa', 0, false],
    ['something else', '@Microsoft.KeyVault(x)', 'sa', 0, false],
  ])('%s', (...[, text, account, now, expected]) => expect(isTokenGood(readToken(text), account, now)).toBe(expected));
});
