import { describe, expect, it } from 'vitest';
import { denyingRule } from '../../../../../infra/cli/inspect/network/security-rules.ts';
import type { Packet, SecurityRule } from '../../../../../infra/cli/inspect/network/security-rules.ts';

const rule = (name: string, changes: Partial<SecurityRule> = {}): SecurityRule => ({
  name,
  allows: false,
  isInbound: false,
  priority: 100,
  protocol: '*',
  sources: ['*'],
  destinations: ['*'],
  ports: ['*'],
  ...changes,
});

const https: Packet = { isInbound: false, protocol: 'tcp', port: 443, remote: { kind: 'internet' } };
const dns: Packet = { isInbound: false, protocol: 'udp', port: 53, remote: { kind: 'address', address: '10.244.0.5' } };
const probe: Packet = { isInbound: true, protocol: 'tcp', port: undefined, remote: { kind: 'network' } };
const prefixes = ['10.2.0.0/24'];

describe('which rule of a security group denies a connection', () => {
  it.each<[string, Packet, readonly SecurityRule[], string | undefined]>([
    ['no rule', https, [], undefined],
    ['one that denies all', https, [rule('all')], 'all'],
    ['one of the other direction', https, [rule('in', { isInbound: true })], undefined],
    ['one of another protocol', https, [rule('udp', { protocol: 'Udp' })], undefined],
    ['one of its protocol, in whatever case', https, [rule('tcp', { protocol: 'TCP' })], 'tcp'],
    ['its port', https, [rule('443', { ports: ['80', '443'] })], '443'],
    ['a range of ports', https, [rule('range', { ports: ['400-500'] })], 'range'],
    ['another port', https, [rule('80', { ports: ['80', '8000-8999'] })], undefined],
    ['the Internet', https, [rule('net', { destinations: ['Internet'] })], 'net'],
    ['the network', https, [rule('vnet', { destinations: ['VirtualNetwork'] })], undefined],
    ['a service tag: nobody knows', https, [rule('tag', { destinations: ['AzureCloud'] })], undefined],
    ['a public range: it may be another', https, [rule('some', { destinations: ['13.0.0.0/8'] })], undefined],
    ['smaller number first', https, [rule('deny', { priority: 200 }), rule('allow', { allows: true })], undefined],
    ['the deny first', https, [rule('deny'), rule('allow', { allows: true, priority: 200 })], 'deny'],
    [
      'a service tag that is let through may be it',
      https,
      [rule('tag', { allows: true, destinations: ['AzureKubernetesService'] }), rule('deny', { priority: 200 })],
      undefined,
    ],
    [
      'what is let through is another port',
      https,
      [rule('dns', { allows: true, ports: ['53'] }), rule('deny', { priority: 200 })],
      'deny',
    ],
    ['an address in the range', dns, [rule('pods', { destinations: ['10.244.0.0/16'] })], 'pods'],
    ['an address that is the destination', dns, [rule('one', { destinations: ['10.244.0.5'] })], 'one'],
    ['an address outside of the range', dns, [rule('other', { destinations: ['10.0.0.0/16'] })], undefined],
    ['a private address is of the network', dns, [rule('vnet', { destinations: ['VirtualNetwork'] })], 'vnet'],
    ['a private address is not the Internet', dns, [rule('net', { destinations: ['Internet'] })], undefined],
    ['from the subnet', dns, [rule('own', { sources: ['10.2.0.0/16'] })], 'own'],
    ['from a part of the subnet: of some pods', dns, [rule('part', { sources: ['10.2.0.0/28'] })], undefined],
    ['from elsewhere', dns, [rule('else', { sources: ['10.3.0.0/16'] })], undefined],
    ['application security groups: nobody knows', dns, [rule('asg', { destinations: [] })], undefined],
    ['inbound, all', probe, [rule('all', { isInbound: true })], 'all'],
    ['inbound, one port of many', probe, [rule('22', { isInbound: true, ports: ['22'] })], undefined],
    ['inbound, all ports by numbers', probe, [rule('all', { isInbound: true, ports: ['0-65535'] })], 'all'],
    [
      'inbound, only a range of the network is let in: it may be the relay',
      probe,
      [
        rule('nodes', { isInbound: true, allows: true, sources: ['10.224.0.0/16'] }),
        rule('all', { isInbound: true, priority: 200 }),
      ],
      undefined,
    ],
    [
      'inbound, only the load balancer is let in',
      probe,
      [
        rule('lb', { isInbound: true, allows: true, sources: ['AzureLoadBalancer'] }),
        rule('all', { isInbound: true, priority: 200 }),
      ],
      'all',
    ],
  ])('%s', (_, packet, rules, name) => {
    expect(denyingRule(rules, packet, prefixes)?.name).toBe(name);
  });
});
