import { BlockList, isIPv4 } from 'node:net';

/** Whether an address is in a range such as `10.0.0.0/16`; of what is no IPv4 range, or no IPv4 address, false. Pure. */
export function isInRange(address: string, range: string): boolean {
  const [base = '', bits = ''] = range.split('/');
  if (!isIPv4(address) || !isIPv4(base) || !/^([0-9]|[12]\d|3[0-2])$/.test(bits)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), 'ipv4');
  return list.check(address, 'ipv4');
}

/** Whether two IPv4 ranges have an address in common: one then holds the other's first. Pure. */
export const rangesOverlap = (left: string, right: string): boolean =>
  isInRange(firstOf(left), right) || isInRange(firstOf(right), left);

const firstOf = (range: string): string => range.split('/')[0] ?? '';
