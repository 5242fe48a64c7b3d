import { assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpv4, freeSubnets, parseIpv4, parseRoutes } from '../../../infra/local/aci/runtime/engine/subnet.ts';

describe('subnets', () => {
  it('read and write addresses', () => {
    assert(
      property(nat(2 ** 32 - 1), (number) => {
        expect(parseIpv4(formatIpv4(number))).toBe(number);
      }),
    );
  });
  it('begin with the one that the seed names', () => {
    expect(freeSubnets(0, [])[0]).toEqual({ subnet: '10.89.0.0/23', gateway: '10.89.0.1' });
    expect(freeSubnets(129, [])[0]).toEqual({ subnet: '10.89.2.0/23', gateway: '10.89.2.1' });
    expect(freeSubnets(7, [])).toHaveLength(128);
  });
  it.each([
    ['an address in it', '10.89.1.7', 32],
    ['the same range', '10.89.0.0', 23],
    ['a half of it', '10.89.1.0', 24],
    ['a range around it', '10.89.0.0', 22],
  ])('leave out what is in use: %s', (_name, address, prefix) => {
    expect(freeSubnets(0, [{ address: parseIpv4(address), prefix }])[0]?.subnet).not.toBe('10.89.0.0/23');
  });
  it('may all be taken', () => {
    expect(freeSubnets(5, [{ address: parseIpv4('10.89.0.0'), prefix: 16 }])).toEqual([]);
  });
  it('take the machine’s routes into account, but not those to everywhere', () => {
    const table = [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0',
      'br0\t0004590A\t00000000\t0001\t0\t0\t0\t00FEFFFF\t0\t0\t0',
      '',
    ].join('\n');
    expect(parseRoutes(table)).toEqual([{ address: parseIpv4('10.89.4.0'), prefix: 23 }]);
  });
});
