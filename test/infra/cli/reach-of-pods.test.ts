import { describe, expect, it } from 'vitest';
import { chartValues } from '../../../infra/cli/attach/chart-values.ts';
import { attachNeeds } from '../../../infra/cli/attach/may-i.ts';
import { checkAttach, withCluster } from '../../../infra/cli/attach/plan.ts';
import type { AttachFacts } from '../../../infra/cli/attach/plan.ts';
import { attachOptions, parseAttachWants } from '../../../infra/cli/attach/wants.ts';
import { aksNetwork } from '../../../infra/cli/cluster/aks-network.ts';
import { isInRange, rangesOverlap } from '../../../infra/cli/cluster/ipv4-range.ts';
import { planReach } from '../../../infra/cli/cluster/reach-of-pods.ts';
import type { ReachFacts, ReachPlan } from '../../../infra/cli/cluster/reach-of-pods.ts';
import { describeReach } from '../../../infra/cli/cluster/reach-text.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { formatRegistrations, parseRegistrations } from '../../../shared/wire/settings.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { facts, noReach } from './attach-facts.ts';

type Registered = Pick<ClusterRegistration, 'dns' | 'services' | 'declined'>;

const wants = (...args: string[]) => parseAttachWants(parseOptions(['--nodes', 'aci-1', ...args], attachOptions));
/** AKS with flat addresses, and a subnet beside its pods. */
const flat: ReachFacts = {
  ...noReach,
  hasSubnet: true,
  network: 'flat',
  podRange: '10.240.0.0/16',
  dnsAddress: '10.0.0.10',
  domain: 'cluster.local',
  serviceRanges: ['10.0.0.0/16'],
  subnetRanges: ['10.241.0.0/24', '10.240.0.0/16'],
};
const viaServices = { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true };
const balanced = { nameServers: ['10.240.0.99'], domain: 'cluster.local', viaServices: false };
const services = { clusterCidr: '10.240.0.0/16', credential: 'services-a' } as const;
const on: Registered = { dns: viaServices, services };
const plan = (args: string, changed: Partial<ReachFacts> = {}, registered: Registered = {}): ReachPlan =>
  planReach(wants(...args.split(' ').filter((word) => word !== '')).reach, { ...flat, ...changed }, registered);
const none: Partial<ReachFacts> = { network: undefined, podRange: undefined };

describe('whether pods reach Services', () => {
  it.each<[string, string, Partial<ReachFacts>, Registered, boolean, RegExp | undefined]>([
    ['flat addresses and a subnet', '', {}, {}, true, undefined],
    ['the same, asked for', '--services auto', {}, {}, true, undefined],
    ['no subnet', '', { hasSubnet: false }, {}, false, /the app has no ACI_SUBNET_ID/],
    ['overlay', '', { network: 'overlay' }, {}, false, /Azure CNI Overlay .* give CoreDNS an internal load balancer/],
    ['kubenet', '', { network: 'kubenet' }, {}, false, /with kubenet .* Services by load balancers of their own/],
    ['a network of its own', '', { network: 'unknown' }, {}, false, /nothing is known .*: --services on/],
    ['a kubeconfig', '', none, {}, false, /nothing is known of the cluster's network.*: --services on/],
    [
      'ranges that overlap',
      '',
      { subnetRanges: ['10.0.8.0/24'] },
      {},
      false,
      /10\.0\.0\.0\/16 and the subnet 10\.0\.8/,
    ],
    ['on, of a kubeconfig', '--services on', none, {}, true, undefined],
    ['on, with overlay', '--services on', { network: 'overlay' }, {}, true, undefined],
    ['off, with flat addresses', '--services off --dns azure', {}, on, false, undefined],
    ['as registered, of a kubeconfig', '', none, on, true, undefined],
    ['as registered, with overlay', '', { network: 'overlay' }, on, true, undefined],
    ['as registered, asked of a kubeconfig', '--services auto', none, on, true, undefined],
    ['asked anew, with overlay', '--services auto --dns auto', { network: 'overlay' }, on, false, /Overlay/],
    ['off, as an operator had it', '', {}, { declined: ['services'] }, false, undefined],
    ['off no more', '--services auto', {}, { declined: ['services'] }, true, undefined],
    ['a chart left alone that has no Secret', '', { keepsChart: true, secrets: [] }, {}, false, /--dry-run shows/],
    ['such a chart, shown', '', { keepsChart: true, secrets: [], isDryRun: true }, {}, true, undefined],
    [
      'another network',
      '',
      { isElsewhere: true },
      {},
      false,
      /another virtual network .* no connected .*: --services on$/,
    ],
    ['another network, asked for by auto', '--services auto', { isElsewhere: true }, {}, false, /no connected peering/],
    ['another network, on', '--services on', { isElsewhere: true }, {}, true, /another .* where the two are peered/],
    ['another network, off', '--services off', { isElsewhere: true }, {}, false, undefined],
    ['another network, as registered', '', { isElsewhere: true }, on, true, undefined],
  ])('%s', (...[, args, changed, registered, isOn, remark]) => {
    const { services: planned, remarks, complaints } = plan(args, changed, registered);
    expect({ isOn: planned !== undefined, complaints }).toEqual({ isOn, complaints: [] });
    expect(remarks.map((text) => (remark?.test(text) === true ? 'as wanted' : text))).toEqual(
      remark === undefined ? [] : ['as wanted'],
    );
  });

  it.each<[string, string, Partial<ReachFacts>, Registered, string]>([
    ['of AKS', '', {}, {}, '10.240.0.0/16'],
    ['unknown', '', { podRange: undefined }, {}, '10.0.0.0/8'],
    ['as reported', '--cluster-cidr 10.244.0.0/14', {}, on, '10.244.0.0/14'],
    ['as registered', '', { podRange: '10.9.0.0/16' }, on, '10.240.0.0/16'],
    ['asked anew', '--services auto', { podRange: '10.9.0.0/16' }, on, '10.9.0.0/16'],
  ])('the range of pods: %s', (...[, args, changed, registered, range]) =>
    expect(plan(args, changed, registered).services?.clusterCidr).toBe(range),
  );
});

describe('whom pods ask for names', () => {
  const off = { network: 'overlay' } as const;
  it.each<[string, string, Partial<ReachFacts>, Registered, Registered['dns']]>([
    ["the cluster's DNS", '', {}, {}, viaServices],
    ['in its own domain', '', { domain: 'corp.test' }, {}, { ...viaServices, domain: 'corp.test' }],
    ['in the domain that is reported', '--cluster-domain a.test', {}, {}, { ...viaServices, domain: 'a.test' }],
    ['in the usual domain', '', { domain: undefined }, {}, viaServices],
    ['Azure without Services', '', off, {}, undefined],
    ['Azure without such a Service', '', { dnsAddress: undefined }, {}, undefined],
    ['Azure, as reported', '--dns azure', {}, on, undefined],
    ['a load balancer', '--dns 10.240.0.99', off, {}, balanced],
    ['a ClusterIP, by its range', '--dns 10.0.0.10', {}, {}, viaServices],
    [
      'a ClusterIP, by its Service',
      '--dns 10.0.0.10',
      { serviceRanges: [], serviceAddresses: ['10.0.0.10'] },
      {},
      viaServices,
    ],
    ['as registered, whatever is found', '', { dnsAddress: '10.0.0.99', domain: 'b.test' }, on, viaServices],
    ['as registered, in another domain', '--cluster-domain b.test', {}, on, { ...viaServices, domain: 'b.test' }],
    ['anew', '--dns auto', { dnsAddress: '10.0.0.99' }, on, { ...viaServices, nameServers: ['10.0.0.99'] }],
    ['a load balancer, as registered', '', off, { dns: balanced }, balanced],
    ['a load balancer, which needs no Services', '--dns auto', off, { dns: balanced }, balanced],
    ['Azure, as an operator had it', '', {}, { services, declined: ['dns'] }, undefined],
    ['Azure no more', '--dns auto', {}, { services, declined: ['dns'] }, viaServices],
  ])('%s', (...[, args, changed, registered, dns]) => {
    const planned = plan(args, changed, registered);
    expect(planned).toMatchObject({ complaints: [] });
    expect(planned.dns).toEqual(dns);
  });

  it.each<[string, Registered, Registered['declined']]>([
    ['', {}, undefined],
    ['--services off', {}, ['services']],
    ['--services off --dns azure', on, ['dns', 'services']],
    ['--dns azure', { services, declined: ['services'] }, ['dns', 'services']],
    ['', { declined: ['dns'] }, ['dns']],
    ['--dns auto --services on', { declined: ['dns', 'services'] }, undefined],
    ['--dns 10.0.0.10', { declined: ['dns'] }, undefined],
  ])('what was turned off is remembered: %j after %j', (args, registered, declined) =>
    expect(plan(args, {}, registered).declined).toEqual(declined),
  );
});

it('what stays of former tokens is said, and what GitOps has to take away', () => {
  const secret = {
    name: 'services-a',
    uid: 'u',
    hasToken: true,
    createdMs: 0,
    formerMs: 0,
    pods: ['shop/web'],
  } as const;
  const other = { ...secret, name: 'services-b' } as const;
  const now: Registered = { dns: viaServices, services: { ...services, credential: 'services-b' } };
  const remarks = (changed: Partial<ReachFacts>) => plan('', { nowMs: 10 ** 9, ...changed }, now).remarks;
  expect(remarks({ secrets: [secret, other] })).toEqual([
    expect.stringMatching(/^the token of services-a stays as long/),
  ]);
  expect(remarks({ secrets: [{ ...secret, pods: [] }, other] })).toEqual([]);
  expect(remarks({ secrets: [{ ...secret, pods: [] }, other], keepsChart: true })).toEqual([
    expect.stringMatching(/^no group has the token of services-a: take it out/),
  ]);
});

describe('attach does not begin', () => {
  it.each<[string, string, Partial<ReachFacts>, Registered, RegExp, RegExp]>([
    ['without a subnet', '--services on', { hasSubnet: false }, {}, /no ACI_SUBNET_ID/, /--services off/],
    [
      'with ranges that overlap',
      '--services on',
      { subnetRanges: ['10.0.8.0/24'] },
      {},
      /10\.0\.0\.0\/16 and the subnet 10\.0\.8\.0\/24 overlap: pods reach one of both only/,
      /--services off/,
    ],
    [
      'with a DNS that is not reached',
      '--services off',
      {},
      on,
      /would ask 10\.0\.0\.10 .* reach no Services/,
      /--dns azure/,
    ],
    [
      'with a ClusterIP alone',
      '--dns 10.0.0.10',
      { network: 'overlay' },
      {},
      /would ask 10\.0\.0\.10/,
      /load balancer/,
    ],
    ['with no DNS to be found', '--dns auto', { dnsAddress: undefined }, {}, /no Service kube-dns/, /--dns IP/],
    [
      'with a DNS that may not be read',
      '--dns auto',
      { dnsAddress: undefined, dnsUnread: 'You may not.' },
      {},
      /^the Service kube-dns of kube-system can't be read: You may not$/,
      /--dns IP/,
    ],
    [
      'with a domain of nobody',
      '--dns azure --cluster-domain a.test',
      {},
      {},
      /--cluster-domain goes with/,
      /--dns IP/,
    ],
    [
      'with a range of nobody',
      '--services off --cluster-cidr 10.0.0.0/8',
      {},
      {},
      /--cluster-cidr goes/,
      /leave it out/,
    ],
    [
      'with a rotation of nothing',
      '--services off --rotate-services',
      {},
      {},
      /--rotate-services makes/,
      /leave it out/,
    ],
  ])('%s', (...[, args, changed, registered, problem, fix]) => {
    expect(plan(args, changed, registered).complaints).toEqual([
      { problem: expect.stringMatching(problem), fix: expect.stringMatching(fix) },
    ]);
  });

  it('where the chart is left alone and its Secret is not there, but says with --dry-run what it is to be', () => {
    const given: AttachFacts = { ...facts, reach: { ...flat, keepsChart: true } };
    const complaints = (reach: Partial<ReachFacts>, ...args: string[]) =>
      checkAttach(wants('--keep-chart', ...args), { ...given, reach: { ...given.reach, ...reach } });
    const secret = { name: 'services-a', uid: 'u', createdMs: 0, pods: undefined } as const;
    expect(complaints({})).toEqual([]);
    expect(complaints({}, '--services', 'on')).toEqual([
      {
        problem: expect.stringMatching(/no Secret services-a with a token/),
        fix: expect.stringContaining('--dry-run'),
      },
    ]);
    expect(complaints({ secrets: [{ ...secret, hasToken: false }] })).toHaveLength(1);
    expect(complaints({ secrets: [{ ...secret, hasToken: true }] })).toEqual([]);
    expect(complaints({ secretsUnread: 'No answer.' }, '--services', 'on')).toEqual([
      {
        problem: expect.stringMatching(/Secret services-a with a token can't be seen: No answer/),
        fix: expect.stringMatching(/^the same command again/),
      },
    ]);
    expect(complaints({}, '--dry-run')).toEqual([]);
    expect(complaints({}, '--services', 'off')).toEqual([]);
  });
});

const noName = { dnsAddress: undefined };
const unread = { ...noName, dnsUnread: 'You may not.' };
it.each<[string, string, Partial<ReachFacts>, Registered, readonly string[]]>([
  ['there is none', '', noName, {}, ['kube-system has no Service kube-dns; give --dns IP']],
  [
    'it may not be read',
    '',
    unread,
    {},
    ["the Service kube-dns of kube-system can't be read: You may not; give --dns IP"],
  ],
  ['there is one', '', {}, {}, []],
  ['nobody wants it', '--dns azure', unread, {}, []],
  ['nobody wanted it', '', unread, { declined: ['dns'] }, []],
  ['another is asked', '', unread, on, []],
  ['Services are off', '--services off', unread, {}, []],
])('Services without names are said with their reason: %s', (...[, args, changed, registered, remarks]) =>
  expect(plan(args, changed, registered).remarks).toEqual(
    remarks.map((why) => `names of the cluster are not asked for: ${why}`),
  ),
);

describe('the registration and the chart', () => {
  const input = (reach: ReachFacts, ...args: string[]) => ({
    wants: wants(...args),
    facts: { ...facts, reach },
    appUrl: 'https://app.test',
    address: '10.0.0.7',
  });
  it('have the same, are read by the app, and do not change again', () => {
    const [first] = withCluster([], input(flat)) ?? [];
    if (first === undefined) throw new Error('nothing was registered');
    expect(first).toMatchObject(on);
    expect(chartValues(input(flat))['services']).toEqual({ enabled: true, credentials: ['services-a'] });
    const read = parseRegistrations(formatRegistrations([first]));
    expect(read.ok && withCluster(read.clusters, input({ ...flat, network: 'overlay', dnsAddress: '10.0.0.1' }))).toBe(
      undefined,
    );
  });
  it('leave a cluster that was attached before as it is, unless Services come on by themselves', () => {
    const [before] = withCluster([], input(noReach)) ?? [];
    if (before === undefined) throw new Error('nothing was registered');
    expect(Object.keys(before)).not.toContain('services');
    expect(chartValues(input(noReach))['services']).toEqual({ enabled: false });
    expect(withCluster([before], input({ ...flat, network: 'overlay' }))).toBe(undefined);
    expect(withCluster([before], input(flat))?.[0]).toMatchObject(on);
  });
  it('remember what an operator turned off', () => {
    const [off] = withCluster([], input(flat, '--services', 'off', '--dns', 'azure')) ?? [];
    if (off === undefined) throw new Error('nothing was registered');
    expect(parseRegistrations(formatRegistrations([off]))).toMatchObject({ ok: true });
    expect(withCluster([off], input(flat))).toBe(undefined);
  });
});

it('helm may grant what the account of Services reads only to whoever has it', () => {
  const needs = (services: boolean, ...args: string[]) =>
    attachNeeds({ ...wants(...args), services }).map(({ verb, resource, namespace = '' }) =>
      `${verb} ${resource} ${namespace}`.trim(),
    );
  const added = needs(true).filter((need) => !needs(false).includes(need));
  expect(added).toEqual(
    ['services', 'endpoints', 'nodes', 'endpointslices'].flatMap((name) => [`list ${name}`, `watch ${name}`]),
  );
  // Where they can't be read, a chart would take away what is only not seen.
  expect(needs(false)).toContain('get secrets serverless-kubelet');
  expect(needs(false, '--keep-chart')).toEqual(['get nodes']);
  expect(needs(true, '--keep-chart')).toEqual(['get secrets serverless-kubelet', 'get nodes']);
});

describe('options', () => {
  it.each([
    ['--dns', '10.0.0.300'],
    ['--dns', 'coredns.example'],
    ['--dns', '127.0.0.53'],
    ['--dns', 'fd00::10'],
    ['--dns', '10.0.0.1,'],
    ['--dns', '10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4'],
    ['--cluster-domain', 'Cluster.Local'],
    ['--cluster-domain', 'a b'],
    ['--services', 'yes'],
    ['--cluster-cidr', '10.0.0.0'],
    ['--cluster-cidr', '10.0.0.0/33'],
    ['--cluster-cidr', 'fd00::/64'],
  ])('%s %s is wrong', (...args) => expect(() => wants(...args)).toThrow(/--dns|--cluster|--services/));
  it('are kept as they are', () =>
    expect(wants('--dns', '10.0.0.1,10.0.0.2', '--services', 'auto', '--rotate-services').reach).toEqual({
      dns: ['10.0.0.1', '10.0.0.2'],
      clusterDomain: undefined,
      services: 'auto',
      clusterCidr: undefined,
      isRotation: true,
    }));
});

describe('how an AKS cluster gives addresses', () => {
  const subnet = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/nodes';
  it.each<[object, string]>([
    [{ networkPlugin: 'azure' }, 'flat'],
    [{ networkPlugin: 'azure', networkPluginMode: null, networkDataplane: 'cilium' }, 'flat'],
    [{ networkPlugin: 'azure', networkPluginMode: 'overlay' }, 'overlay'],
    [{ networkPlugin: 'azure', networkPluginMode: 'Overlay', networkDataplane: 'cilium' }, 'overlay'],
    [{ networkPlugin: 'kubenet' }, 'kubenet'],
    [{ networkPlugin: 'none' }, 'unknown'],
    [{}, 'unknown'],
  ])('%j is %s', (networkProfile, kind) => expect(aksNetwork({ networkProfile }).kind).toBe(kind));
  it('reads ranges and subnets, without IPv6', () => {
    const networkProfile = { networkPlugin: 'azure', podCidr: null, serviceCidr: '10.0.0.0/16' };
    const serviceCidrs = ['10.0.0.0/16', 'fd00::/108'];
    const agentPoolProfiles = [
      { podSubnetId: null, vnetSubnetId: subnet },
      { podSubnetId: 'pods', vnetSubnetId: subnet },
      { vnetSubnetId: subnet },
    ];
    expect(aksNetwork({ networkProfile: { ...networkProfile, serviceCidrs }, agentPoolProfiles })).toEqual({
      kind: 'flat',
      podRange: undefined,
      serviceRanges: ['10.0.0.0/16'],
      podSubnets: [subnet, 'pods'],
    });
    expect(aksNetwork({ networkProfile }).serviceRanges).toEqual(['10.0.0.0/16']);
    expect(aksNetwork({ networkProfile, nodeResourceGroup: 'MC_a' }).nodeResourceGroup).toBe('MC_a');
  });
});

describe('ranges', () => {
  it.each<[string, string, boolean]>([
    ['10.0.0.0/16', '10.0.8.0/24', true],
    ['10.0.8.0/24', '10.0.0.0/16', true],
    ['10.0.0.0/16', '10.1.0.0/16', false],
    ['10.3.2.1/8', '10.0.0.0/16', true],
    ['0.0.0.0/0', '192.168.0.0/24', true],
    ['10.0.0.0/16', 'fd00::/64', false],
    ['10.0.0.0/16', 'Internet', false],
  ])('%s and %s', (left, right, overlap) => expect(rangesOverlap(left, right)).toBe(overlap));
  it.each<[string, string, boolean]>([
    ['10.0.0.10', '10.0.0.0/28', true],
    ['10.0.0.16', '10.0.0.0/28', false],
    ['10.0.0.10', '10.0.0.10', false],
    ['fd00::1', 'fd00::/64', false],
  ])('%s in %s', (address, range, isIn) => expect(isInRange(address, range)).toBe(isIn));
});

it.each<[Registered, string]>([
  [{}, "pods ask Azure's resolver for names, and reach no Services"],
  [on, 'pods ask 10.0.0.10 for names, cluster.local among them, and reach Services with the token of services-a'],
])('%j in a line', (registered, line) => expect(describeReach(registered)).toBe(line));
