import { BlockList, isIPv4 } from 'node:net';

/** Whether an address is in a range such as `10.0.0.0/16`, or is that one address. What is neither is in nothing. */
export function isWithinRange(address: string, range: string): boolean {
  const [base = '', bits = '32'] = range.split('/');
  if (!isIPv4(address) || !isIPv4(base) || !/^([0-9]|[12]\d|3[0-2])$/.test(bits)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), 'ipv4');
  return list.check(address, 'ipv4');
}

const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/** Whether it is an address of a private network. */
export const isPrivateAddress = (address: string): boolean =>
  privateRanges.some((range) => isWithinRange(address, range));
