import type { GroupBody } from '../group/group.ts';
import type { Json, JsonObject } from '../json.ts';
import { objectAt, objectsAt, textAt } from '../json-access.ts';
import type { ClusterDns } from '../kubernetes/cluster-reach.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { defined } from '../defined.ts';
import { injectDns } from './annotations/readers.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import { withoutServices } from './services.ts';
import type { InspectionFacts, Notice } from './translation.ts';

export interface GroupDns {
  readonly dnsConfig?: NonNullable<GroupBody['dnsConfig']>;
  readonly notices: readonly Notice[];
}

/** A resolver's own limit, and a kubelet's. */
const maxNameServers = 3;
/** More, or longer, and a group's sandbox does not start (docs/aci.md, Limits of a group). */
const maxSearchDomains = 6;
const maxSearchLength = 256;
/** Azure's resolver, at the same address in every virtual network; what a group asks that has no dnsConfig. */
const azureNameServer = '168.63.129.16';

interface Lines {
  readonly nameServers: readonly string[];
  readonly searches: readonly string[];
  /** By name; an empty value is none. */
  readonly options: ReadonlyMap<string, string>;
}

const strings = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

const withoutRepeats = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** Of an option that is twice the last counts, as with a kubelet. */
function optionsOf(config: JsonObject): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const option of objectsAt(config, 'options'))
    if (typeof option['name'] === 'string') options.set(option['name'], textAt(option, 'value'));
  return options;
}

function ownLines(pod: Pod): Lines {
  const config = objectAt(pod.rawSpec, 'dnsConfig');
  return {
    nameServers: strings(config.nameservers),
    searches: withoutRepeats(strings(config.searches)),
    options: optionsOf(config),
  };
}

const nothing: Lines = { nameServers: [], searches: [], options: new Map() };

/** What a kubelet writes for `ClusterFirst`. */
const clusterLines = ({ nameServers, domain }: ClusterDns, namespace: string): Lines => ({
  nameServers,
  searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain],
  options: new Map([['ndots', '5']]),
});

const withoutEffect = (message: string): Notice => ({ reason: 'FieldWithoutEffect', message });

/** In a kubelet's words (pkg/kubelet/network/dns). */
const omitted = (what: string, kinds: string, line: string, applied: string): Notice => ({
  type: 'Warning',
  reason: 'DNSConfigForming',
  message: `${what} limits were exceeded, some ${kinds} have been omitted, the applied ${line} line is: ${applied}`,
});

/** As many from the front as the limits allow. */
function searchLine(searches: readonly string[]): string {
  const fits = searches.slice(0, maxSearchDomains);
  while (fits.join(' ').length > maxSearchLength) fits.pop();
  return fits.join(' ');
}

interface Base {
  readonly lines: Lines;
  readonly notices: readonly Notice[];
}

const isClusterFirst = (pod: Pod): boolean => {
  const { dnsPolicy = 'ClusterFirst' } = pod.rawSpec;
  return dnsPolicy === 'ClusterFirst' || dnsPolicy === 'ClusterFirstWithHostNet';
};

/**
 * The cluster's name servers, where the pod asks them and can; undefined: it has Azure's. Alone, because resolvers that ask
 * all servers at once (musl's) take the first answer, and Azure's says of the cluster's names that they do not exist.
 */
function clusterBase(pod: Pod, facts: DnsFacts): Base | undefined {
  const { dns } = facts;
  const wishes = wishesOf(pod.metadata.annotations);
  if (dns === undefined || !isClusterFirst(pod) || wishes.dns === false) return undefined;
  const lines = clusterLines(dns, pod.metadata.namespace);
  const obstacle = dns.viaServices ? withoutServices(facts, wishes) : undefined;
  if (obstacle !== undefined)
    return {
      lines: nothing,
      notices: [
        {
          type: 'Warning',
          reason: 'ClusterDNSUnreachable',
          message: `the cluster's DNS (${dns.nameServers.join(', ')}) is a ClusterIP, and the pod ${obstacle}: it asks Azure's resolver, which knows no names of the cluster`,
        },
      ],
    };
  return { lines, notices: [] };
}

/** Mounting a share of Azure Files needs Azure's resolver in the group. */
const mountsShares = (pod: Pod): boolean =>
  pod.spec.volumes.some(({ source }) => source.kind === 'azureFile' || source.kind === 'claim');

function withShares(pod: Pod, base: Base): Base {
  if (base.lines.nameServers.length === 0 || !mountsShares(pod)) return base;
  const notice: Notice = {
    type: 'Warning',
    reason: 'AzureDNSAdded',
    message: `spec.volumes: mounting Azure Files needs Azure's resolver beside the cluster's DNS; programs whose resolver asks both at once (musl) may not find names of the cluster`,
  };
  // The third of the cluster's is what gives way, and is named as left out.
  const { nameServers } = base.lines;
  const last = maxNameServers - 1;
  const both = [...nameServers.slice(0, last), azureNameServer, ...nameServers.slice(last)];
  return { lines: { ...base.lines, nameServers: both }, notices: [...base.notices, notice] };
}

/** As a kubelet merges dnsConfig into what the policy gives (pkg/kubelet/network/dns, appendDNSConfig). */
function merged(base: Lines, own: Lines): Lines {
  return {
    nameServers: withoutRepeats([...base.nameServers, ...own.nameServers]),
    searches: withoutRepeats([...base.searches, ...own.searches]),
    options: new Map([...base.options, ...own.options]),
  };
}

type DnsFacts = Pick<InspectionFacts, 'subnetId' | 'dns' | 'services'>;

const isEmpty = ({ nameServers, searches, options }: Lines): boolean =>
  nameServers.length + searches.length + options.size === 0;

/**
 * What a group's containers resolve names with, by a kubelet's rules: the cluster's DNS under `ClusterFirst`, Azure's under
 * `Default`, the pod's own alone under `None`; `dnsConfig` comes on top. ACI takes it only in a subnet; undefined: what
 * Azure gives. Cut to what ACI takes, with the kubelet's event.
 */
export function groupDns(pod: Pod, facts: DnsFacts): GroupDns {
  const formed = formedDns(pod, facts);
  return { ...formed, notices: [...initNotices(pod, facts), ...formed.notices] };
}

/** Whether the extension works before the main containers start is not known (docs/aci.md). */
function initNotices(pod: Pod, facts: DnsFacts): readonly Notice[] {
  const hasServices = withoutServices(facts, wishesOf(pod.metadata.annotations)) === undefined;
  if (pod.spec.initContainers.length === 0 || !hasServices) return [];
  const names = facts.dns?.viaServices === true ? ", the cluster's DNS among them," : '';
  const wayOut =
    names === ''
      ? ''
      : `; for names in init containers give attach a DNS that is no ClusterIP (--dns), or annotate the pod with ${injectDns}: "false"`;
  return [
    {
      reason: 'InitContainersMayLackServices',
      message: `spec.initContainers: ClusterIPs${names} may not be reached before the containers start${wayOut}`,
    },
  ];
}

function formedDns(pod: Pod, facts: DnsFacts): GroupDns {
  const own = ownLines(pod);
  if (facts.subnetId === undefined)
    return {
      notices: isEmpty(own)
        ? []
        : [withoutEffect('spec.dnsConfig: the pod is in no subnet, and ACI takes name servers only in one')],
    };
  const isNone = pod.rawSpec.dnsPolicy === 'None';
  const base = withShares(pod, clusterBase(pod, facts) ?? { lines: nothing, notices: [] });
  const hasOwnServers = isNone || base.lines.nameServers.length > 0;
  const needsServer = own.nameServers.length + own.searches.length > 0;
  if (!hasOwnServers && !needsServer)
    return {
      notices: [
        ...base.notices,
        ...(own.options.size === 0
          ? []
          : [
              withoutEffect(
                'spec.dnsConfig.options: without name servers or search domains of its own the pod has what Azure gives the network',
              ),
            ]),
      ],
    };
  if (isNone && isEmpty(own)) return { notices: [] };
  const lines = merged(hasOwnServers ? base.lines : { ...base.lines, nameServers: [azureNameServer] }, own);
  const formed = form(lines);
  return { ...formed, notices: [...base.notices, ...formed.notices] };
}

/** Within the limits. */
function form({ nameServers, searches, options }: Lines): Required<GroupDns> {
  const servers = nameServers.slice(0, maxNameServers);
  const search = searchLine(searches);
  const texts = [...options].map(([name, value]) => (value === '' ? name : `${name}:${value}`));
  const isCut = search !== searches.join(' ');
  return {
    dnsConfig: {
      nameServers: servers,
      ...defined({
        searchDomains: search === '' ? undefined : search,
        options: texts.length === 0 ? undefined : texts.join(' '),
      }),
    },
    notices: [
      ...(servers.length < nameServers.length
        ? [omitted('Nameserver', 'nameservers', 'nameserver', servers.join(' '))]
        : []),
      ...(isCut ? [omitted('Search Line', 'search paths', 'search', search)] : []),
    ],
  };
}
