/** Azure's resolver: the same address in every virtual network. */
export const azureResolver = '168.63.129.16';

/** Where a program of this machine answers for one of Azure's. */
export interface ResolverPlace {
  readonly address: string;
  readonly port: number;
}

/** How a packet vanishes: `silent` reports its sender nothing, as in a network; `DROP` is what every kernel has, and sendto() fails. */
export type Vanish = 'silent' | 'DROP';

const chains = { nat: 'VNET-DNS', mangle: 'VNET-SECURITY', stats: 'VNET-STATS', back: 'VNET-STATS-BACK' } as const;
/** Of ACI's realtime-metrics. */
const statsPort = 18_899;
/** Nobody reads this queue, and what nobody reads is dropped. */
const silentTarget = 'NFQUEUE --queue-num 65535';

/**
 * The input of `iptables-restore --noflush` for a group's network namespace: Azure's resolver, where something here answers
 * for it, ranges that lead nowhere, and the ports that the subnet's security group drops; what is sent to the port of
 * realtime-metrics goes on to its server, as if the group itself asked. `isFirst`: the built-in chains do not lead here yet.
 */
export function groupRules(options: {
  readonly resolver: ResolverPlace | undefined;
  /** Undefined: the group has no realtime-metrics, or nothing listens. */
  readonly stats: ResolverPlace | undefined;
  readonly droppedPorts: readonly number[];
  readonly unroutedRanges: readonly string[];
  readonly vanish: Vanish;
  readonly isFirst: boolean;
}): string {
  const { resolver, stats, droppedPorts, unroutedRanges, vanish, isFirst } = options;
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
    ...statsRules(stats, isFirst),
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

const statsRules = (stats: ResolverPlace | undefined, isFirst: boolean): readonly string[] => [
  `:${chains.stats} - [0:0]`,
  `:${chains.back} - [0:0]`,
  ...(isFirst ? [`-A PREROUTING -j ${chains.stats}`, `-A POSTROUTING -j ${chains.back}`] : []),
  ...(stats === undefined
    ? []
    : [
        `-A ${chains.stats} -p tcp -m tcp --dport ${statsPort} -j DNAT --to-destination ${stats.address}:${stats.port}`,
        `-A ${chains.back} -d ${stats.address}/32 -p tcp -m tcp --dport ${stats.port} -j MASQUERADE`,
      ]),
];
