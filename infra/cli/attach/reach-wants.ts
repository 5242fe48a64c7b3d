import { isIPv4 } from 'node:net';
import type { ReachWants } from '../cluster/reach-of-pods.ts';
import { isInRange } from '../cluster/ipv4-range.ts';
import { isClusterDomain } from '../../../shared/core/kubernetes/cluster-reach.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';

/** How pods reach names and Services of the cluster. */
export const reachOptions: OptionSpecs = {
  dns: {
    type: 'string',
    value: 'WHERE',
    description:
      "whom pods ask for names: auto (the cluster's DNS where Services are on; default: as registered, else that), azure, or IP[,IP] of name servers",
  },
  'cluster-domain': {
    type: 'string',
    value: 'NAME',
    description: "the cluster's domain (default: CoreDNS' own, else as registered, else cluster.local)",
  },
  services: {
    type: 'string',
    value: 'WHETHER',
    description:
      'pods reach ClusterIPs: on, off, or auto (on with a subnet and flat Azure CNI; default: as registered, else that)',
  },
  'cluster-cidr': {
    type: 'string',
    value: 'CIDR',
    description: "with Services: the pods' range (default: as registered, else that of AKS, else 10.0.0.0/8)",
  },
  'rotate-services': {
    type: 'boolean',
    description: 'a new token for Services; the former one goes with a later attach, when no group has it any more',
  },
};

/** Reads and checks them. */
export const parseReachWants = (options: ParsedOptions): ReachWants => ({
  dns: parseDns(options.text('dns')),
  clusterDomain: parseDomain(options.text('cluster-domain')),
  services: parseServices(options.text('services')),
  clusterCidr: parseRange(options.text('cluster-cidr')),
  isRotation: options.flag('rotate-services'),
});

/** As many as ACI takes. */
const mostNameServers = 3;

function parseDns(text: string | undefined): ReachWants['dns'] {
  if (text === undefined || text === 'auto' || text === 'azure') return text;
  const addresses = text.split(',');
  if (addresses.length > mostNameServers)
    throw wrongInput(`--dns names ${addresses.length} name servers`, `ACI takes ${mostNameServers} at most`);
  const wrong = addresses.find((address) => !isIPv4(address) || isInRange(address, '127.0.0.0/8'));
  if (wrong === undefined) return addresses;
  throw wrongInput(
    `--dns wants auto, azure or IPv4 addresses, not "${wrong}"`,
    'write it as --dns 10.0.0.10,10.0.0.11',
  );
}

function parseDomain(text: string | undefined): string | undefined {
  if (text === undefined || isClusterDomain(text)) return text;
  throw wrongInput(`--cluster-domain wants a name such as cluster.local, not "${text}"`, 'fix --cluster-domain');
}

function parseServices(text: string | undefined): ReachWants['services'] {
  if (text === undefined || text === 'auto' || text === 'on' || text === 'off') return text;
  throw wrongInput(`--services wants on, off or auto, not "${text}"`, 'choose one of them');
}

function parseRange(text: string | undefined): string | undefined {
  if (text === undefined || isInRange(text.split('/')[0] ?? '', text)) return text;
  throw wrongInput(`--cluster-cidr wants an IPv4 range, not "${text}"`, 'write it as --cluster-cidr 10.244.0.0/16');
}
