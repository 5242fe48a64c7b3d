import { isInRange } from '../cluster/ipv4-range.ts';

/** Whether an address is in a range such as `10.0.0.0/16`, or is that one address. What is neither is in nothing. */
export const isWithinRange = (address: string, range: string): boolean =>
  isInRange(address, range.includes('/') ? range : `${range}/32`);

const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/** Whether it is an address of a private network. */
export const isPrivateAddress = (address: string): boolean =>
  privateRanges.some((range) => isWithinRange(address, range));
