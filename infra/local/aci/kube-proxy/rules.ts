import { createHash } from 'node:crypto';
import { serviceBackends } from './backends.ts';
import type { ServicePort } from './backends.ts';
import type { Endpoints, Service } from './objects.ts';

/** What iptables is to know, by table: the lines of each chain of our own. */
export interface Ruleset {
  readonly nat: ReadonlyMap<string, readonly string[]>;
  readonly filter: ReadonlyMap<string, readonly string[]>;
  /** By `address:port` of a Service, the endpoints that its UDP is sent to. */
  readonly udp: ReadonlyMap<string, ReadonlySet<string>>;
  /** One sentence for each object of which something was left out. */
  readonly faults: readonly string[];
}

/** The built-in chains that lead to ours. */
export const hooks = {
  nat: ['-A PREROUTING -j KUBE-SERVICES', '-A OUTPUT -j KUBE-SERVICES', '-A POSTROUTING -j KUBE-POSTROUTING'],
  filter: ['-A FORWARD -j KUBE-SERVICES', '-A OUTPUT -j KUBE-SERVICES'],
} as const;

/** Packets that bear it leave with the group's own address. */
const masquerade = '0x4000/0x4000';

/**
 * The rules by which Services are reached: each port has a chain that picks one of its endpoints evenly, or the one that
 * the client had last; one without endpoints is refused. Pure.
 */
export function proxyRules(
  services: Iterable<Service>,
  endpoints: Iterable<Endpoints>,
  clusterCidr: string | undefined,
): Ruleset {
  const { ports, faults } = serviceBackends(services, endpoints);
  const entry: string[] = [];
  const refused: string[] = [];
  const chains = new Map<string, readonly string[]>();
  const udp = new Map<string, Set<string>>();
  for (const port of ports) {
    const chain = chainName('SVC', `${port.name}/${port.protocol}`);
    if (port.endpoints.length === 0) refused.push(...refusals(port));
    else {
      entry.push(...entries(port, chain, clusterCidr));
      for (const [name, lines] of serviceChains(port, chain)) chains.set(name, lines);
    }
    if (port.protocol === 'udp')
      for (const address of [port.clusterIp, ...port.outside])
        udp.set(`${address}:${port.port}`, new Set(port.endpoints));
  }
  const nat = new Map([
    ['KUBE-SERVICES', entry],
    ['KUBE-MARK-MASQ', [`-j MARK --set-xmark ${masquerade}`]],
    ['KUBE-POSTROUTING', [`-m mark --mark ${masquerade} -j MASQUERADE`]],
    ...chains,
  ]);
  return { nat, filter: new Map([['KUBE-SERVICES', refused]]), udp, faults };
}

/** A name that iptables takes (28 characters at most), the same for the same Service each time. */
export function chainName(kind: 'SVC' | 'SEP', identity: string): string {
  const hash = createHash('sha256').update(identity).digest('hex').toUpperCase();
  return `KUBE-${kind}-${hash.slice(0, 16)}`;
}

const matching = ({ protocol, port }: ServicePort, address: string): string =>
  `-d ${address}/32 -p ${protocol} -m ${protocol} --dport ${port}`;

/** What a person sees in iptables-save; names of Kubernetes are plain, and nothing else gets in. */
const comment = (text: string): string => `-m comment --comment "${text.replaceAll(/[^\w.:/-]/g, '_').slice(0, 200)}"`;

function entries(port: ServicePort, chain: string, clusterCidr: string | undefined): string[] {
  const named = comment(port.name);
  const own = matching(port, port.clusterIp);
  const fromOutside = clusterCidr === undefined ? [] : [`! -s ${clusterCidr} ${own} ${named} -j KUBE-MARK-MASQ`];
  const sources = port.sourceRanges.length === 0 ? [''] : port.sourceRanges.map((range) => `-s ${range} `);
  const outside = port.outside.flatMap((address) =>
    sources.flatMap((source) => [
      `${source}${matching(port, address)} ${named} -j KUBE-MARK-MASQ`,
      `${source}${matching(port, address)} ${named} -j ${chain}`,
    ]),
  );
  return [...fromOutside, `${own} ${named} -j ${chain}`, ...outside];
}

function refusals(port: ServicePort): string[] {
  const named = comment(`${port.name} has no endpoints`);
  return [port.clusterIp, ...port.outside].map(
    (address) => `${matching(port, address)} ${named} -j REJECT --reject-with icmp-port-unreachable`,
  );
}

function serviceChains(port: ServicePort, chain: string): [string, readonly string[]][] {
  const { endpoints, protocol, affinitySeconds } = port;
  const members = endpoints.map((endpoint) => ({
    endpoint,
    name: chainName('SEP', `${port.name}/${protocol}/${endpoint}`),
  }));
  const kept =
    affinitySeconds === undefined
      ? []
      : members.map(({ name }) => `-m recent --name ${name} --rcheck --seconds ${affinitySeconds} --reap -j ${name}`);
  const chosen = members.map(({ name }, index) => {
    const left = members.length - index;
    return left === 1 ? `-j ${name}` : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} -j ${name}`;
  });
  const remember = (name: string): string => (affinitySeconds === undefined ? '' : ` -m recent --name ${name} --set`);
  return [
    [chain, [...kept, ...chosen]],
    ...members.map(({ endpoint, name }): [string, readonly string[]] => [
      name,
      [
        // A group that is its own endpoint would not know the answer again.
        `-s ${endpoint.split(':')[0]}/32 -j KUBE-MARK-MASQ`,
        `-p ${protocol} -m ${protocol}${remember(name)} -j DNAT --to-destination ${endpoint}`,
      ],
    ]),
  ];
}
