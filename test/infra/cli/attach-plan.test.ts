import { describe, expect, it } from 'vitest';
import { chartValues } from '../../../infra/cli/attach/chart-values.ts';
import { checkAttach, plannedNodes, withCluster } from '../../../infra/cli/attach/plan.ts';
import type { AttachFacts } from '../../../infra/cli/attach/plan.ts';
import { attachOptions, parseAttachWants } from '../../../infra/cli/attach/wants.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { formatRegistrations, parseRegistrations } from '../../../shared/wire/settings.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { facts } from './attach-facts.ts';

const other = '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a78';
const wants = (...args: string[]) =>
  parseAttachWants(parseOptions(args.includes('--nodes') ? args : ['--nodes', 'aci-1', ...args], attachOptions));
const { cluster } = facts;
const appUrl = 'https://kubelet.azurewebsites.net';
const address = '10.0.12.7';
const attached = (...args: string[]): ClusterRegistration => {
  const [registration] = withCluster([], { wants: wants(...args), facts, appUrl, address }) ?? [];
  if (registration === undefined) throw new Error('nothing was registered');
  return registration;
};

describe('attach does not begin', () => {
  it.each<[string, string[], Partial<AttachFacts>, RegExp]>([
    ['on an old Kubernetes', [], { cluster: { ...cluster, version: 'v1.29.9' } }, /Kubernetes v1\.29\.9/],
    ['without rights', [], { notAllowed: ['create clusterroles'] }, /may not create clusterroles/],
    [
      'when the node is a VM',
      [],
      { existingNodes: [{ name: 'aci-1', owner: undefined }] },
      /Node aci-1 already, which is not one of ours/,
    ],
    [
      "when the node is another installation's",
      [],
      { existingNodes: [{ name: 'aci-1', owner: 'neu' }] },
      /of the installation neu/,
    ],
    ['when the cluster is a setting', [], { fixed: [attached()] }, /setting CLUSTERS/],
    [
      'under another name',
      ['--cluster-name', 'x'],
      { registered: [attached()] },
      /registered under the name prod, not x/,
    ],
    [
      "under another cluster's name",
      [],
      { registered: [{ ...attached(), uid: other }] },
      /the name prod is that of another/,
    ],
    [
      'in another namespace',
      ['--namespace', 'x'],
      { registered: [attached()] },
      /with the namespace serverless-kubelet, not x/,
    ],
    ['with entra where the cluster has none', [], { cluster: { ...cluster, entra: false } }, /takes no Entra tokens/],
    ['with entra and no identity', [], { principalId: undefined }, /object id of the app's identity/],
    ['over http', [], { cluster: { ...cluster, server: 'http://prod' } }, /not https:/],
  ])('%s', (_, args, changed, sentence) => {
    const complaints = checkAttach(wants(...args), { ...facts, ...changed });
    expect(complaints.map(({ problem }) => problem)).toEqual([expect.stringMatching(sentence)]);
    expect(complaints.every(({ fix }) => fix !== '')).toBe(true);
  });
  it.each<[string, string[], Partial<AttachFacts>]>([
    ['a new cluster', [], {}],
    [
      'a cluster that is attached already',
      [],
      { registered: [attached()], existingNodes: [{ name: 'aci-1', owner: 'weu' }] },
    ],
    ['1.30, the oldest', [], { cluster: { ...cluster, version: 'v1.30.0' } }],
    [
      'a token where there is no Entra',
      ['--auth', 'token'],
      { cluster: { ...cluster, entra: false }, principalId: undefined },
    ],
  ])('but does with %s', (_, args, changed) =>
    expect(checkAttach(wants(...args), { ...facts, ...changed })).toEqual([]),
  );
});

describe('the registration', () => {
  it('is one that the app reads, and the same after it was read', () => {
    const text = formatRegistrations([attached('--nodes', 'aci-1,aci-2', '--zones', '1,2')]);
    expect(parseRegistrations(text)).toMatchObject({ ok: true });
    const read = parseRegistrations(text);
    const again = { wants: wants('--nodes', 'aci-1,aci-2', '--zones', '1,2'), facts, appUrl, address };
    expect(read.ok && withCluster(read.clusters, again)).toBe(undefined);
  });
  it('leaves other clusters and what an operator wrote of a node', () => {
    const before = attached();
    const [node] = before.nodes;
    if (node === undefined) throw new Error('no node');
    const edited = { ...before, nodes: [{ ...node, pods: 7, labels: { pool: 'batch' } }] };
    const strange = { ...attached(), uid: other, name: 'other' };
    const after = withCluster([strange, edited], { wants: wants('--nodes', 'aci-2'), facts, appUrl, address });
    expect(after?.[0]).toBe(strange);
    expect(after?.[1]?.nodes.map(({ name, port, pods }) => [name, port, pods])).toEqual([
      ['aci-1', 10_250, 7],
      ['aci-2', 10_251, 100],
    ]);
  });
  it.each(['draining', 'removed'] as const)(
    'makes a node that was %s active again, and only the one that is named',
    (state) => {
      const before = attached('--nodes', 'aci-1,aci-2');
      const leaving = { ...before, nodes: before.nodes.map((node) => ({ ...node, state })) };
      const after = withCluster([leaving], { wants: wants('--nodes', 'aci-1'), facts, appUrl, address });
      expect(after?.[0]?.nodes.map((node) => node.state)).toEqual(['active', state]);
    },
  );
  it('says where pods reach the API server, and keeps what an operator said of it', () => {
    const way = (before: readonly ClusterRegistration[], args: string[], over: Partial<typeof cluster> = {}) =>
      withCluster(before, {
        wants: wants(...args),
        facts: { ...facts, cluster: { ...cluster, ...over } },
        appUrl,
        address,
      });
    const [first] = way([], [], { aksHost: 'prod.azmk8s.io' }) ?? [];
    if (first === undefined) throw new Error('nothing was registered');
    expect(first.apiServerForPods).toEqual({ host: 'prod.azmk8s.io', port: 443 });
    expect(way([first], [], { aksHost: 'prod.azmk8s.io' })).toBe(undefined);
    const [reported] = way([first], ['--api-server-for-pods', 'api.example:6443']) ?? [];
    expect(reported?.apiServerForPods).toEqual({ host: 'api.example', port: 6443 });
    const [off] = way([first], ['--api-server-for-pods', 'service']) ?? [];
    if (off === undefined) throw new Error('nothing was changed');
    expect(off.apiServerForPods).toBe('service');
    expect(way([off], [], { aksHost: 'prod.azmk8s.io' })).toBe(undefined);
    expect(way([], [], { server: 'https://127.0.0.1:6443' })?.[0]).not.toHaveProperty('apiServerForPods');
    expect(parseRegistrations(formatRegistrations([off]))).toMatchObject({ ok: true });
  });
  it('keeps the audience when the app has another address', () => {
    const input = { wants: wants(), facts: { ...facts, registered: [attached()] }, appUrl: 'https://new', address };
    expect(withCluster([attached()], input)).toBe(undefined);
    expect(chartValues(input)['app']).toMatchObject({ url: 'https://new', audience: appUrl });
    // So that a drain leaves the Nodes of other installations alone.
    expect(chartValues(input)['installation']).toBe('weu');
  });
});

describe('ports and principal', () => {
  it('gives new nodes the next free port, past the health port', () => {
    const known = attached().nodes;
    expect(plannedNodes(wants('--nodes', 'b,c'), known).map(({ port }) => port)).toEqual([10_250, 10_251, 10_252]);
    expect(plannedNodes(wants('--nodes', 'b,c', '--port', '10248'), []).map(({ port }) => port)).toEqual([
      10_249, 10_250,
    ]);
  });
  it('is a User with entra, the chart’s ServiceAccount with a token', () => {
    const principal = (...args: string[]) => chartValues({ wants: wants(...args), facts, appUrl })['app'];
    expect(principal()).toMatchObject({ principal: { kind: 'User', name: facts.principalId } });
    expect(principal('--auth', 'token')).toMatchObject({ principal: { kind: 'ServiceAccount', name: '' } });
  });
});
