import { BlockList, isIP } from 'node:net';

/**
 * Where no registry of the world is: whoever names an image must not make the app ask its own machine, its network or
 * the cloud's metadata for him (IANA's special-purpose address registries).
 */
const forbidden4: readonly (readonly [string, number, string])[] = [
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by carriers'],
  ['127.0.0.0', 8, 'loopback'],
  ['168.63.129.16', 32, "Azure's platform"],
  ['169.254.0.0', 16, 'link-local, metadata'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'protocol assignments'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, '6to4 relays'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmarks'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved, broadcast'],
];

/** Of IPv6 only global unicast may be asked, without what carries an IPv4 address or leads nowhere. */
const forbidden6: readonly (readonly [string, number, string])[] = [
  ['2001::', 23, 'Teredo and other protocol assignments'],
  ['2001:db8::', 32, 'documentation'],
  ['2002::', 16, '6to4'],
  ['3fff::', 20, 'documentation'],
];

const list4 = new BlockList();
for (const [network, prefix] of forbidden4) list4.addSubnet(network, prefix, 'ipv4');
const list6 = new BlockList();
for (const [network, prefix] of forbidden6) list6.addSubnet(network, prefix, 'ipv6');
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');

/** Whether no request may go to this address; what is no address at all neither. `[::1]` may be in brackets. */
export function isForbiddenAddress(text: string): boolean {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  switch (isIP(address)) {
    case 4:
      return list4.check(address, 'ipv4');
    case 6:
      return !global6.check(address, 'ipv6') || list6.check(address, 'ipv6');
    default:
      return true;
  }
}
