/** Azure's resolver: the same address in every virtual network. */
export const azureResolver = '168.63.129.16';

/** `address:port` where a program of this machine answers for it. */
export interface ResolverPlace {
  readonly address: string;
  readonly port: number;
}

/** How a packet vanishes: `silent` reports its sender nothing, as in a network; `DROP` is what every kernel has, and sendto() fails. */
export type Vanish = 'silent' | 'DROP';

const chains = { nat: 'VNET-DNS', mangle: 'VNET-SECURITY' } as const;
/** Nobody reads this queue, and what nobody reads is dropped. */
const silentTarget = 'NFQUEUE --queue-num 65535';

/**
 * The input of `iptables-restore --noflush` for a group's network namespace: Azure's resolver, where something here answers
 * for it, ranges that lead nowhere, and the ports that the subnet's security group drops. `isFirst`: the built-in chains do not lead here yet.
 */
export function groupRules(options: {
  readonly resolver: ResolverPlace | undefined;
  readonly droppedPorts: readonly number[];
  readonly unroutedRanges: readonly string[];
  readonly vanish: Vanish;
  readonly isFirst: boolean;
}): string {
  const { resolver, droppedPorts, unroutedRanges, vanish, isFirst } = options;
  const to = resolver === undefined ? [] : [`${resolver.address}:${resolver.port}`];
  const protocols = ['udp', 'tcp'] as const;
  const own = (protocol: string): string => `-p ${protocol} -m ${protocol} --dport`;
  const target = vanish === 'silent' ? silentTarget : 'DROP';
  const exempt =
    resolver === undefined ? [] : protocols.map((p) => `-d ${resolver.address}/32 ${own(p)} ${resolver.port}`);
  return [
    '*nat',
    `:${chains.nat} - [0:0]`,
    ...(isFirst ? [`-A OUTPUT -j ${chains.nat}`] : []),
    ...to.flatMap((place) =>
      protocols.map((p) => `-A ${chains.nat} -d ${azureResolver}/32 ${own(p)} 53 -j DNAT --to-destination ${place}`),
    ),
    'COMMIT',
    // Where a packet leaves: a Service's address has become an endpoint's by now, or was refused.
    '*mangle',
    `:${chains.mangle} - [0:0]`,
    ...(isFirst ? [`-A POSTROUTING ! -o lo -j ${chains.mangle}`] : []),
    ...exempt.map((match) => `-A ${chains.mangle} ${match} -j RETURN`),
    ...unroutedRanges.map((range) => `-A ${chains.mangle} -d ${range} -j ${target}`),
    ...droppedPorts.flatMap((port) => protocols.map((p) => `-A ${chains.mangle} ${own(p)} ${port} -j ${target}`)),
    'COMMIT',
    '',
  ].join('\n');
}
