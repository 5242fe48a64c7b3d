/** An IPv4 range in use on this machine, as numbers. */
export interface Ipv4Range {
  readonly address: number;
  readonly prefix: number;
}

export interface Subnet {
  /** CIDR. */
  readonly subnet: string;
  /** The first address of the subnet; the bridge itself. */
  readonly gateway: string;
}

const base = parseIpv4('10.89.0.0');
const prefix = 23;
/** How many subnets there are to choose from: 10.89.0.0/16 in pieces of 510 addresses. */
const subnetCount = 128;

export function parseIpv4(text: string): number {
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

export function formatIpv4(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/**
 * The subnets of 10.89.0.0/16 that overlap nothing in use, beginning with the one that `seed` names, so that two
 * state folders of one machine rarely ask for the same.
 */
export function freeSubnets(seed: number, used: readonly Ipv4Range[]): Subnet[] {
  const subnets: Subnet[] = [];
  for (let step = 0; step < subnetCount; step += 1) {
    const address = base + ((seed + step) % subnetCount) * 2 ** (32 - prefix);
    if (used.some((range) => overlaps(range, { address, prefix }))) continue;
    subnets.push({ subnet: `${formatIpv4(address)}/${prefix}`, gateway: formatIpv4(address + 1) });
  }
  return subnets;
}

function overlaps(left: Ipv4Range, right: Ipv4Range): boolean {
  const size = 2 ** (32 - Math.min(left.prefix, right.prefix));
  return Math.floor(left.address / size) === Math.floor(right.address / size);
}

/**
 * The ranges in Linux's `/proc/net/route` (hexadecimal, little-endian), without the default route and the routes that
 * are as wide as the whole pool: they lead away from the machine.
 */
export function parseRoutes(table: string): Ipv4Range[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split('\t');
      if (destination === undefined || mask === undefined) return [];
      const length = swapped(mask).toString(2).replaceAll('0', '').length;
      return length <= 8 ? [] : [{ address: swapped(destination), prefix: length }];
    });
}

function swapped(hex: string): number {
  return Buffer.from(hex.trim().padStart(8, '0'), 'hex').readUInt32LE();
}
