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
