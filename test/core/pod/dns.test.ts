import { describe, expect, it } from 'vitest';
import { groupDns } from '../../../shared/core/pod/dns.ts';
import { podOf, subnetId } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const dnsOf = (spec: Raw) => groupDns(podOf(spec), { subnetId });
const servers = (...nameservers: readonly string[]) => ({ nameservers });
const azure = '168.63.129.16';

describe('the name servers of a group', () => {
  it.each<[string, Raw, Raw | undefined]>([
    ['are none of its own where the pod asks for none', { dnsPolicy: 'ClusterFirst' }, undefined],
    [
      "are the pod's alone under None",
      { dnsPolicy: 'None', dnsConfig: servers('10.0.0.10') },
      { nameServers: ['10.0.0.10'] },
    ],
    [
      "come after Azure's under another policy",
      { dnsConfig: servers('10.0.0.10') },
      { nameServers: [azure, '10.0.0.10'] },
    ],
    [
      'have the domains and options of the pod',
      {
        dnsPolicy: 'None',
        dnsConfig: {
          ...servers('1.1.1.1'),
          searches: ['a.example', 'b.example'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      { nameServers: ['1.1.1.1'], searchDomains: 'a.example b.example', options: 'ndots:2 edns0' },
    ],
    [
      'have each domain once, and of an option the last value',
      {
        dnsPolicy: 'None',
        dnsConfig: {
          ...servers('1.1.1.1', 'fd00::1', '1.1.1.1'),
          searches: ['a.example', 'b.example', 'a.example', 'c', 'd', 'e', 'a.example'],
          options: [
            { name: 'ndots', value: '2' },
            { name: 'edns0', value: '' },
            { name: 'ndots', value: '5' },
          ],
        },
      },
      { nameServers: ['1.1.1.1', 'fd00::1'], searchDomains: 'a.example b.example c d e', options: 'ndots:5 edns0' },
    ],
    [
      "are Azure's with domains of the pod",
      { dnsConfig: { searches: ['a.b'] } },
      { nameServers: [azure], searchDomains: 'a.b' },
    ],
    ['are not asked for by options alone', { dnsConfig: { options: [{ name: 'ndots', value: '1' }] } }, undefined],
  ])('%s', (_, spec, config) => expect(dnsOf(spec).dnsConfig).toEqual(config));

  it.each<[string, Raw, string, string]>([
    [
      'a fourth name server',
      { dnsPolicy: 'None', dnsConfig: servers('1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4') },
      'DNSConfigForming',
      'the applied nameserver line is: 1.1.1.1 1.1.1.2 1.1.1.3',
    ],
    [
      'a seventh domain',
      { dnsPolicy: 'None', dnsConfig: { ...servers('1.1.1.1'), searches: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] } },
      'DNSConfigForming',
      'the applied search line is: a b c d e f',
    ],
    [
      'what is longer than 256 characters',
      { dnsPolicy: 'None', dnsConfig: { ...servers('1.1.1.1'), searches: ['a'.repeat(200), 'b'.repeat(56)] } },
      'DNSConfigForming',
      `the applied search line is: ${'a'.repeat(200)}`,
    ],
    ['options alone', { dnsConfig: { options: [{ name: 'ndots' }] } }, 'FieldWithoutEffect', 'spec.dnsConfig.options'],
  ])('an event names %s', (_, spec, reason, message) => {
    const { notices } = dnsOf(spec);
    expect(notices.map((notice) => notice.reason)).toEqual([reason]);
    expect(notices[0]?.message.endsWith(message) === true || notices[0]?.message.startsWith(message) === true).toBe(
      true,
    );
  });

  it('can not be chosen without a subnet', () => {
    const { dnsConfig, notices } = groupDns(podOf({ dnsPolicy: 'None', dnsConfig: servers('1.1.1.1') }), {});
    expect(dnsConfig).toBeUndefined();
    expect(notices[0]?.message).toContain('the pod is in no subnet');
  });
});

const dns = { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true };
const services = {
  clusterCidr: '10.244.0.0/16',
  server: 'https://api.example',
  secret: { namespace: 'sk', name: 's' },
};
const reach = { subnetId, dns, services };
const searches = 'shop.svc.cluster.local svc.cluster.local cluster.local';
const clusterConfig = { nameServers: ['10.0.0.10'], searchDomains: searches, options: 'ndots:5' };
const annotated = (annotations: Record<string, string>, spec: Raw = {}) => {
  const pod = podOf(spec);
  return { ...pod, metadata: { ...pod.metadata, annotations } };
};
const prefix = 'microsoft.containerinstance.virtualnode.';

describe("the cluster's DNS", () => {
  it.each<[string, Raw, Raw | undefined]>([
    ['is asked alone under ClusterFirst', {}, clusterConfig],
    ['is asked alone under ClusterFirstWithHostNet', { dnsPolicy: 'ClusterFirstWithHostNet' }, clusterConfig],
    ['is not asked under Default', { dnsPolicy: 'Default' }, undefined],
    ['is not asked under None', { dnsPolicy: 'None', dnsConfig: servers('1.1.1.1') }, { nameServers: ['1.1.1.1'] }],
    [
      "comes before the pod's own, whose options win",
      {
        dnsConfig: {
          ...servers('1.1.1.1', '10.0.0.10'),
          searches: ['corp.example', 'svc.cluster.local'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      {
        nameServers: ['10.0.0.10', '1.1.1.1'],
        searchDomains: `${searches} corp.example`,
        options: 'ndots:2 edns0',
      },
    ],
    [
      'leaves room for three domains more',
      { dnsConfig: { searches: ['a', 'b', 'c', 'd'] } },
      { ...clusterConfig, searchDomains: `${searches} a b c` },
    ],
    [
      'has the resolver of Azure beside it where Azure Files are mounted',
      {
        volumes: [{ name: 's', persistentVolumeClaim: { claimName: 'c' } }],
        dnsConfig: servers('1.1.1.1', '1.1.1.2'),
      },
      { ...clusterConfig, nameServers: ['10.0.0.10', azure, '1.1.1.1'] },
    ],
  ])('%s', (_, spec, config) => expect(groupDns(podOf(spec), reach).dnsConfig).toEqual(config));

  it.each<[string, ReturnType<typeof podOf>, Parameters<typeof groupDns>[1], string]>([
    [
      'is a ClusterIP, and an annotation refuses the kube-proxy',
      annotated({ [`${prefix}injectkubeproxy`]: 'false' }),
      reach,
      'injectkubeproxy: "false"',
    ],
    [
      'is a ClusterIP, and the group is Confidential',
      annotated({ 'virtual-kubelet.io/container-sku': 'confidential' }),
      reach,
      'the pod is Confidential',
    ],
    [
      'is a ClusterIP, and the cluster has no Services for pods',
      podOf({}),
      { subnetId, dns },
      'registered without services',
    ],
  ])('that %s is not asked, and an event says why', (_, pod, facts, why) => {
    const { dnsConfig, notices } = groupDns(pod, facts);
    expect(dnsConfig).toBeUndefined();
    expect(notices.map(({ reason }) => reason)).toEqual(['ClusterDNSUnreachable']);
    expect(notices[0]?.message).toContain(why);
  });

  it('that is no ClusterIP is asked without a kube-proxy', () => {
    const direct = { subnetId, dns: { ...dns, viaServices: false } };
    expect(groupDns(podOf({ initContainers: [{ name: 'i', image: 'i' }] }), direct)).toEqual({
      dnsConfig: clusterConfig,
      notices: [],
    });
  });

  it('of three servers gives way to Azure Files with the third, which an event names', () => {
    const three = { ...reach, dns: { ...dns, nameServers: ['10.0.0.10', '10.0.0.11', '10.0.0.12'] } };
    const { dnsConfig, notices } = groupDns(
      podOf({ volumes: [{ name: 's', azureFile: { secretName: 's', shareName: 's' } }] }),
      three,
    );
    expect(dnsConfig?.nameServers).toEqual(['10.0.0.10', '10.0.0.11', azure]);
    expect(notices.map(({ reason }) => reason)).toEqual(['AzureDNSAdded', 'DNSConfigForming']);
  });

  it('is not set by annotation, and nothing is said of it', () => {
    expect(groupDns(annotated({ [`${prefix}injectdns`]: 'false' }), reach)).toEqual({ notices: [] });
  });

  it.each<[string, Raw, string, typeof dns?]>([
    ['init containers', { initContainers: [{ name: 'i', image: 'i' }] }, 'InitContainersMayLackServices'],
    [
      'a share of Azure Files',
      { volumes: [{ name: 's', azureFile: { secretName: 's', shareName: 's' } }] },
      'AzureDNSAdded',
    ],
    [
      'init containers and a DNS that is no ClusterIP',
      { initContainers: [{ name: 'i', image: 'i' }] },
      'InitContainersMayLackServices',
      { ...dns, viaServices: false },
    ],
    ['a fourth domain', { dnsConfig: { searches: ['a', 'b', 'c', 'd'] } }, 'DNSConfigForming'],
  ])('is not all that a pod with %s expects, and an event says so', (_, spec, reason, other = dns) => {
    expect(groupDns(podOf(spec), { ...reach, dns: other }).notices.map((notice) => notice.reason)).toEqual([reason]);
  });
});
