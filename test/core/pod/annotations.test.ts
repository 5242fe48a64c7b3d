import { describe, expect, it } from 'vitest';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import type { PodGrant } from '../../../shared/core/pod/grant.ts';
import type { NodeFacts } from '../../../shared/core/pod/translation.ts';
import { facts, podOf, rawContainer, resolved, subnetId, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const v2 = 'microsoft.containerinstance.virtualnode.';
const identity = (name: string): string =>
  `/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
const otherSubnet = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/other';

const grant = {
  namespace: 'shop',
  serviceAccount: 'builder',
  identities: [identity('reports'), identity('keys')],
  subnets: [otherSubnet, 'none'],
  logAnalytics: ['audit'],
  publicAddress: true,
};
const workspaceId = '00000000-0000-4000-8000-000000000002';
const workspaces = {
  default: { workspaceId: '00000000-0000-4000-8000-000000000001', workspaceKey: 'k1' },
  audit: { workspaceId, workspaceKey: 'k2', logType: 'ContainerInsights' as const },
};
const open: NodeFacts = { ...facts, grants: [grant] };
const inSubnet: NodeFacts = { ...open, subnetId, zone: '2' };

const pod = (annotations: Record<string, string>, spec: Raw = {}) =>
  podOf({ serviceAccountName: 'builder', ...spec }, { annotations });

const bodyOf = (annotations: Record<string, string>, node: NodeFacts, spec: Raw = {}): GroupBody =>
  translated(pod(annotations, spec), resolved(), node).body;

const refusalsOf = (annotations: Record<string, string>, node: NodeFacts, spec: Raw = {}): readonly string[] =>
  inspectPod(pod(annotations, spec), node).refusals.map(({ message }) => message);

const web = { containers: [rawContainer({ ports: [{ containerPort: 80 }] })] };
const key = {
  [`${v2}cmk.vaultbaseurl`]: 'https://team-a.vault.azure.net',
  [`${v2}cmk.keyname`]: 'groups',
  [`${v2}cmk.keyversion`]: '0123456789abcdef0123456789abcdef',
};

describe('an annotation', () => {
  it.each<[string, Record<string, string>, NodeFacts, Partial<GroupBody>, Raw?]>([
    [
      'gives a group the identities of the pod, each once',
      { [`${v2}identity`]: `${identity('reports')}; ${identity('KEYS')};${identity('Reports')}` },
      open,
      {
        identity: {
          type: 'UserAssigned',
          userAssignedIdentities: { [identity('KEYS')]: {}, [identity('Reports')]: {} },
        },
      },
    ],
    [
      'places it in another subnet',
      { [`${v2}subnets.primary`]: otherSubnet },
      inSubnet,
      { subnetIds: [{ id: otherSubnet }] },
    ],
    [
      'places it in a subnet where the node has none',
      { [`${v2}subnets.primary`]: otherSubnet },
      open,
      { subnetIds: [{ id: otherSubnet }] },
    ],
    ['places it in another zone', { [`${v2}zones`]: '3' }, inSubnet, { zones: ['3'] }],
    [
      'asks for Spot',
      { 'serverless-kubelet.io/priority': 'Spot', [`${v2}subnets.primary`]: 'none' },
      inSubnet,
      { priority: 'Spot' },
    ],
    [
      'asks for the SKU of azure-aci',
      { 'virtual-kubelet.io/container-sku': 'confidential' },
      open,
      { sku: 'Confidential' },
    ],
    [
      'gives a policy, and so asks for that SKU',
      { [`${v2}ccepolicy`]: 'cGFja2FnZSBwb2xpY3k=' },
      open,
      { sku: 'Confidential', confidentialComputeProperties: { ccePolicy: 'cGFja2FnZSBwb2xpY3k=' } },
    ],
    [
      'gives a policy by the name of azure-aci',
      { 'virtual-kubelet.io/confidential-compute-cce-policy': 'cGFja2FnZSBwb2xpY3k=' },
      open,
      { sku: 'Confidential', confidentialComputeProperties: { ccePolicy: 'cGFja2FnZSBwb2xpY3k=' } },
    ],
    [
      'sends logs to a workspace',
      { 'serverless-kubelet.io/log-analytics': 'audit' },
      { ...open, workspaces },
      {
        diagnostics: {
          logAnalytics: {
            workspaceId,
            workspaceKey: 'k2',
            logType: 'ContainerInsights',
            metadata: { 'pod-uuid': 'b7a0f6d2-0000-4000-8000-000000000002', 'node-name': 'aci-1' },
          },
        },
      },
    ],
    [
      'shows it to the Internet',
      { 'virtualkubelet.io/dnsnamelabel': 'team-a-web', [`${v2}subnets.primary`]: 'none' },
      inSubnet,
      { ipAddress: { type: 'Public', ports: [{ port: 80, protocol: 'TCP' }], dnsNameLabel: 'team-a-web' } },
      web,
    ],
    [
      'encrypts with a key of its own',
      { ...key, [`${v2}cmk.identity`]: identity('keys') },
      open,
      {
        encryptionProperties: {
          vaultBaseUrl: 'https://team-a.vault.azure.net',
          keyName: 'groups',
          keyVersion: '0123456789abcdef0123456789abcdef',
          identity: identity('keys'),
        },
        identity: { type: 'UserAssigned', userAssignedIdentities: { [identity('keys')]: {} } },
      },
    ],
  ])('%s', (_, ...[annotations, node, expected, spec]) => {
    expect(bodyOf(annotations, node, spec)).toMatchObject(expected);
  });

  it('adds tags, and leaves those of the app', () => {
    const plain = bodyOf({}, open).tags;
    const { tags } = bodyOf({ [`${v2}customtags`]: 'cost-center=42; team = a=b ;' }, open);
    expect(tags).toMatchObject({ 'cost-center': '42', team: 'a=b', 'kubernetes-pod': plain['kubernetes-pod'] });
    expect(Object.keys(tags)).toHaveLength(Object.keys(plain).length + 2);
  });

  it.each<[string, Record<string, string>, (keyof GroupBody)[]]>([
    ['of no subnet takes the node’s away', { [`${v2}subnets.primary`]: 'none' }, ['subnetIds', 'ipAddress']],
    ['of no zone takes the node’s away', { [`${v2}zones`]: '' }, ['zones']],
    [
      'of Spot takes the zone away',
      { 'serverless-kubelet.io/priority': 'Spot', [`${v2}subnets.primary`]: 'none' },
      ['zones', 'subnetIds', 'ipAddress'],
    ],
    [
      'of the ordinary changes nothing',
      { 'serverless-kubelet.io/priority': 'Regular', 'virtual-kubelet.io/container-sku': 'Standard' },
      ['priority', 'sku'],
    ],
    [
      'of other bridges that is off has no effect',
      { [`${v2}injectdns`]: 'false', [`${v2}imagecachepod`]: 'false' },
      ['identity'],
    ],
  ])('%s', (_, annotations, absent) => {
    const body = bodyOf(annotations, inSubnet);
    for (const member of absent) expect(body[member]).toBeUndefined();
  });

  it('changes the hash of the spec', () => {
    const hashOf = (annotations: Record<string, string>) =>
      bodyOf(annotations, open).tags['serverless-kubelet-spec-hash'];
    expect(hashOf({ 'virtual-kubelet.io/container-sku': 'confidential' })).not.toBe(hashOf({}));
    expect(hashOf({ 'example.com/a': 'b' })).toBe(hashOf({}));
  });
});

describe('a pod without annotations of ours', () => {
  it('waits for the key of the workspace that its logs go to, and its name alone is said', () => {
    const { workspaceKey: _, ...keyless } = workspaces.default;
    expect(translatePod(pod({}), { ...facts, workspaces: { default: keyless } }, resolved())).toMatchObject({
      kind: 'waiting',
      reason: 'CreateContainerConfigError',
      message: expect.stringContaining('the app has no key of the workspace default'),
    });
  });

  it('may have one of another domain that ends alike', () => {
    expect(refusalsOf({ 'notserverless-kubelet.io/x': '1' }, facts)).toEqual([]);
  });

  it('sends its logs to the workspace that is called default, if there is one', () => {
    expect(bodyOf({}, { ...facts, workspaces }).diagnostics).toEqual({
      logAnalytics: { workspaceId: '00000000-0000-4000-8000-000000000001', workspaceKey: 'k1' },
    });
    expect(bodyOf({}, facts).diagnostics).toBeUndefined();
    const none = { 'serverless-kubelet.io/log-analytics': 'none' };
    const left = { ...facts, workspaces, grants: [{ ...grant, logAnalytics: ['none'] }] };
    expect(bodyOf(none, left).diagnostics).toBeUndefined();
  });

  it('has the pull identity where an image comes from its registry, and else none', () => {
    const node = { ...facts, pullIdentities: { 'bakery.azurecr.io': identity('pull') } };
    const spec = { containers: [rawContainer({ image: 'bakery.azurecr.io/app:1' })] };
    expect(bodyOf({}, node, spec)).toMatchObject({
      imageRegistryCredentials: [{ server: 'bakery.azurecr.io', identity: identity('pull') }],
      identity: { type: 'UserAssigned', userAssignedIdentities: { [identity('pull')]: {} } },
    });
    expect(bodyOf({}, node).identity).toBeUndefined();
  });
});

describe('is refused:', () => {
  const spot = { 'serverless-kubelet.io/priority': 'Spot' };
  const label = { 'virtualkubelet.io/dnsnamelabel': 'team-a-web' };
  it.each<[string, Record<string, string>, NodeFacts, string, Raw?]>([
    [
      'an identity that is none',
      { [`${v2}identity`]: 'reports' },
      open,
      `metadata.annotations[${v2}identity]: expected resource ids of user-assigned identities, separated by ";", such as /subscriptions/`,
    ],
    ['one good and one bad identity', { [`${v2}identity`]: `${identity('reports')};x` }, open, 'expected resource ids'],
    [
      'a subnet that is none',
      { [`${v2}subnets.primary`]: 'cg' },
      open,
      'expected the resource id of a subnet, or "none", such as',
    ],
    ['two zones', { [`${v2}zones`]: '1;2' }, open, 'expected one zone'],
    [
      'another priority',
      { 'serverless-kubelet.io/priority': 'spot' },
      open,
      'expected "Spot" or "Regular", such as Spot',
    ],
    ['another SKU', { 'virtual-kubelet.io/container-sku': 'Dedicated' }, open, 'expected "confidential" or "standard"'],
    ['a policy that is no base64', { [`${v2}ccepolicy`]: 'package policy' }, open, 'expected a policy in base64'],
    [
      'two policies',
      { [`${v2}ccepolicy`]: 'YQ==', 'virtual-kubelet.io/confidential-compute-cce-policy': 'Yg==' },
      open,
      `metadata.annotations[virtual-kubelet.io/confidential-compute-cce-policy]: ${v2}ccepolicy says something else`,
    ],
    ['a tag of the app', { [`${v2}customtags`]: 'kubernetes-pod=other' }, open, 'expected name=value pairs'],
    ['a tag of Azure', { [`${v2}customtags`]: 'azure-x=1' }, open, 'expected name=value pairs'],
    ['a tag twice', { [`${v2}customtags`]: 'a=1;A=2' }, open, 'expected name=value pairs'],
    ['half of a key', { [`${v2}cmk.keyname`]: 'groups' }, open, `metadata.annotations[${v2}cmk.keyname]: a key needs`],
    ['a DNS name label in capitals', { 'virtualkubelet.io/dnsnamelabel': 'Team' }, open, 'expected 5 to 63'],
    ['a DNS name label in a subnet', label, inSubnet, 'a group in a subnet has no public address', web],
    ['a DNS name label without a port', label, open, 'an address needs a port'],
    ['Spot in a subnet', spot, inSubnet, 'Spot groups can be in no subnet'],
    ['Spot in a zone', { ...spot, [`${v2}zones`]: '1' }, open, 'Spot groups can be in no zone'],
    ['Spot with a policy', { ...spot, [`${v2}ccepolicy`]: 'YQ==' }, open, 'Spot groups have the SKU Standard alone'],
    ['Spot with an address', { ...spot, ...label }, open, 'Spot groups have no address', web],
    [
      'Spot of five cores',
      spot,
      open,
      '5 cores in all; the largest group has 4 cores and 16 GB',
      { containers: [rawContainer({ resources: { requests: { cpu: '5' } } })] },
    ],
    [
      'a policy with the SKU Standard',
      { 'virtual-kubelet.io/container-sku': 'standard', [`${v2}ccepolicy`]: 'YQ==' },
      open,
      'a policy needs the SKU Confidential',
    ],
    [
      'a workspace that nobody set',
      { 'serverless-kubelet.io/log-analytics': 'audit' },
      open,
      'the setting LOG_ANALYTICS_WORKSPACES has no such name',
    ],
    [
      'a workspace of an app that is named to explain',
      { 'serverless-kubelet.io/log-analytics': 'audit' },
      { ...facts, workspaces: {}, grants: 'assumed' },
      'LOG_ANALYTICS_WORKSPACES has no such name',
    ],
    [
      'a name with a port that ACI keeps',
      label,
      open,
      'an address needs a port that ACI declares',
      { containers: [rawContainer({ ports: [{ containerPort: 9999 }] })] },
    ],
    [
      'a bad version of a key alone',
      { ...key, [`${v2}cmk.keyversion`]: 'latest' },
      open,
      'expected 32 hexadecimal digits',
    ],
    [
      'an id that is too long',
      { [`${v2}subnets.primary`]: `${otherSubnet}${'x'.repeat(5000)}` },
      open,
      'expected the resource id of a subnet',
    ],
    ['an id that only looks like another', { [`${v2}identity`]: identity('\u212Aeys') }, open, 'expected resource ids'],
    ['a tag with a line break', { [`${v2}customtags`]: 'a=1\n2' }, open, 'expected name=value pairs'],
    [
      'a vault that is none',
      { ...key, [`${v2}cmk.vaultbaseurl`]: 'https://169.254.169.254' },
      open,
      'expected the https:// URL of a key vault',
    ],
    [
      'a typo in capitals',
      { 'Microsoft.containerinstance.virtualnode.zones': '1' },
      open,
      'this version does not know the annotation',
    ],
    ['a typo', { [`${v2}zone`]: '1' }, open, 'this version does not know the annotation'],
    ['an image cache', { [`${v2}imagecachepod`]: 'true' }, open, 'there are no standby pools'],
    ['a GPU', { 'virtual-kubelet.io/gpu-type': 'V100' }, open, 'ACI has no GPUs any more'],
  ])('%s', (_, ...[annotations, node, expected, spec]) => {
    expect(refusalsOf(annotations, node, spec)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('what no grant names is refused', () => {
  const home: NodeFacts = { ...facts, subnetId, workspaces };
  const wants: readonly [string, Record<string, string>, NodeFacts?][] = [
    ['identities', { [`${v2}identity`]: identity('reports') }],
    ['identities', { ...key, [`${v2}cmk.identity`]: identity('keys') }],
    ['subnets', { [`${v2}subnets.primary`]: otherSubnet }],
    ['subnets', { [`${v2}subnets.primary`]: 'none' }],
    ['logAnalytics', { 'serverless-kubelet.io/log-analytics': 'audit' }],
    ['logAnalytics', { 'serverless-kubelet.io/log-analytics': 'none' }],
    ['publicAddress', { 'virtualkubelet.io/dnsnamelabel': 'team-a-web' }, facts],
  ];
  const nothing = { namespace: 'shop', identities: [], subnets: [], logAnalytics: [], publicAddress: false };
  const all = { ...grant, logAnalytics: ['audit', 'none'] };
  const { serviceAccount: _, ...ofNamespace } = all;
  it.each<[string, readonly PodGrant[], boolean]>([
    ['nobody granted anything', [], false],
    ['another namespace was granted it', [{ ...all, namespace: 'other' }], false],
    ['another ServiceAccount was granted it', [{ ...all, serviceAccount: 'default' }], false],
    ['the grant names other things', [{ ...nothing, identities: [identity('other')], logAnalytics: ['Audit'] }], false],
    ['the namespace was granted it', [nothing, ofNamespace], true],
    ['all namespaces were granted it', [{ ...all, namespace: '*' }], true],
  ])('when %s', (_, grants, isGood) => {
    const said = wants.map(([, annotations, node = home]) => refusalsOf(annotations, { ...node, grants }, web));
    const named = wants.map(([kind]) => [
      expect.stringMatching(`the ServiceAccount shop/builder is not granted .* in ${kind} of a grant`),
    ]);
    expect(said).toEqual(isGood ? wants.map(() => []) : named);
  });

  it.each<[string, Record<string, string>, NodeFacts]>([
    ['the subnet of the node', { [`${v2}subnets.primary`]: subnetId.toUpperCase() }, home],
    ['no subnet where the node has none', { [`${v2}subnets.primary`]: 'none' }, facts],
    ['no workspace where there is no default', { 'serverless-kubelet.io/log-analytics': 'none' }, facts],
    ['the default workspace', { 'serverless-kubelet.io/log-analytics': 'default' }, home],
  ])('but %s needs none', (_, annotations, node) => {
    expect(refusalsOf(annotations, node)).toEqual([]);
  });

  it('but where nobody knows the grants it is reported what is needed', () => {
    const { refusals, notices } = inspectPod(pod({ [`${v2}identity`]: identity('reports') }), {
      ...facts,
      grants: 'assumed',
    });
    expect(refusals).toEqual([]);
    expect(notices).toEqual([
      {
        reason: 'GrantAssumed',
        message: `metadata.annotations[${v2}identity]: taken to be granted to the ServiceAccount shop/builder (identities of a grant)`,
      },
    ]);
  });
});
