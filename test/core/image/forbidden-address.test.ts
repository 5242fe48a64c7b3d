import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isForbiddenAddress } from '../../../shared/core/image/forbidden-address.ts';

describe('no request goes to', () => {
  it.each([
    ['0.0.0.0', 'this machine'],
    ['0.1.2.3', 'this network'],
    ['10.0.0.1', 'a private address'],
    ['172.16.0.1', 'a private address'],
    ['172.31.255.255', 'a private address'],
    ['192.168.1.1', 'a private address'],
    ['100.64.0.1', "a carrier's address"],
    ['100.100.100.200', "a carrier's address, or another cloud's metadata"],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['169.254.169.254', 'metadata'],
    ['169.254.130.1', "the identity endpoint of App Service's kind"],
    ['168.63.129.16', "Azure's platform"],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['198.18.0.1', 'a benchmark'],
    ['::', 'this machine'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback in brackets'],
    ['::ffff:127.0.0.1', 'loopback in IPv6'],
    ['::ffff:7f00:1', 'loopback in IPv6, in hexadecimal'],
    ['::ffff:8.8.8.8', 'any IPv4 address in IPv6'],
    ['::127.0.0.1', 'loopback in the old form of IPv6'],
    ['64:ff9b::a00:1', 'a private address behind NAT64'],
    ['2002:7f00:1::', 'loopback behind 6to4'],
    ['2001:0:7f00:1::', 'Teredo'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local of an interface'],
    ['fd00::1', 'a unique local address'],
    ['fc00::1', 'a unique local address'],
    ['fec0::1', 'a site-local address'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'documentation'],
    ['', 'nothing'],
    ['localhost', 'a name'],
    ['127.1', 'what only some take for an address'],
    ['0x7f000001', 'what only some take for an address'],
  ])('%s: %s', (address) => {
    expect(isForbiddenAddress(address)).toBe(true);
  });

  it.each(['8.8.8.8', '20.60.0.1', '172.32.0.1', '168.63.129.17', '100.128.0.1', '2606:4700::1', '[2a00:1450::5]'])(
    'but to %s',
    (address) => {
      expect(isForbiddenAddress(address)).toBe(false);
    },
  );

  it('anything but an address, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[\d.]+$/.test(text) && !text.includes(':'));
        expect(isForbiddenAddress(text)).toBe(true);
      }),
    );
  });

  it('an IPv4 address in any clothes of IPv6', () => {
    fc.assert(
      fc.property(
        fc.ipV4(),
        fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'),
        (v4, prefix) => {
          expect(isForbiddenAddress(`${prefix}${v4}`)).toBe(true);
        },
      ),
    );
  });
});
