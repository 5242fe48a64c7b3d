import type { GroupBody } from '../group/group.ts';
import type { Json, JsonObject } from '../json.ts';
import { objectAt, objectsAt, textAt } from '../json-access.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { defined } from '../defined.ts';
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

interface Wanted {
  readonly nameServers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const strings = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

const withoutRepeats = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** Of an option that is twice the last counts, as with a kubelet. */
function optionsOf(config: JsonObject): readonly string[] {
  const options = new Map<string, string>();
  for (const option of objectsAt(config, 'options'))
    if (typeof option['name'] === 'string') options.set(option['name'], textAt(option, 'value'));
  return [...options].map(([name, text]) => (text === '' ? name : `${name}:${text}`));
}

function wantedOf(pod: Pod): Wanted {
  const config = objectAt(pod.rawSpec, 'dnsConfig');
  return {
    nameServers: strings(config.nameservers),
    searches: withoutRepeats(strings(config.searches)),
    options: optionsOf(config),
  };
}

const withoutEffect = (message: string): GroupDns => ({ notices: [{ reason: 'FieldWithoutEffect', message }] });

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

/**
 * The name servers of a group, where the pod asks for some (`dnsPolicy: None`, or `dnsConfig` beside another policy, whose
 * own name server comes first, as with a kubelet). ACI takes them only in a subnet.
 */
export function groupDns(pod: Pod, { subnetId }: Pick<InspectionFacts, 'subnetId'>): GroupDns {
  const { nameServers, searches, options } = wantedOf(pod);
  if (nameServers.length + searches.length + options.length === 0) return { notices: [] };
  if (subnetId === undefined)
    return withoutEffect('spec.dnsConfig: the pod is in no subnet, and ACI takes name servers only in one');
  const isNone = pod.rawSpec.dnsPolicy === 'None';
  if (!isNone && nameServers.length + searches.length === 0)
    return withoutEffect(
      'spec.dnsConfig.options: without name servers or search domains of its own the pod has what Azure gives the network',
    );
  const all = withoutRepeats([...(isNone ? [] : [azureNameServer]), ...nameServers]);
  const servers = all.slice(0, maxNameServers);
  const search = searchLine(searches);
  const isCut = search !== searches.join(' ');
  return {
    dnsConfig: {
      nameServers: servers,
      ...defined({
        searchDomains: search === '' ? undefined : search,
        options: options.length === 0 ? undefined : options.join(' '),
      }),
    },
    notices: [
      ...(servers.length < all.length ? [omitted('Nameserver', 'nameservers', 'nameserver', servers.join(' '))] : []),
      ...(isCut ? [omitted('Search Line', 'search paths', 'search', search)] : []),
    ],
  };
}
