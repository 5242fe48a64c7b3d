import { isSameId } from '../../../../shared/core/resource-id.ts';
import type { ClusterRegistration } from '../../../../shared/wire/settings.ts';
import { failed, good, skipped, warned } from '../check.ts';
import type { Check } from '../check.ts';
import { isWithinRange } from '../ipv4-match.ts';
import type { Part } from '../observed.ts';
import type { AksSeen } from '../pods-reach/facts.ts';
import { wayOutOf } from './subnet-facts.ts';
import type { SubnetNetwork } from './subnet-facts.ts';
import { addressesOf } from './subnet-judgements.ts';

/** Of `az aks show`. */
export interface AksFound extends AksSeen {
  readonly resourceGroup: string;
  /** Hosts by which its API server is known. */
  readonly hosts: readonly string[];
  /** Of a private cluster: where its name is; undefined: in no zone of Azure that AKS knows of. */
  readonly zone: { readonly name: string; readonly resourceGroup: string; readonly subscription: string } | undefined;
}

/** Whether the API server lets the subnet's egress addresses in; undefined: it asks for none. */
export function judgeRanges(name: string, aks: AksFound, subnet: SubnetNetwork): Check | undefined {
  if (aks.isPrivate || aks.authorizedRanges.length === 0) return undefined;
  const way = wayOutOf(subnet);
  const ranges = aks.authorizedRanges.join(',');
  if (way.kind === 'appliance')
    return skipped(
      name,
      `The API server takes connections from ${ranges} alone, and packets leave the subnet by ${way.address}: the public address of that one must be in it.`,
    );
  const addresses = addressesOf(subnet);
  if (addresses.length === 0)
    return way.kind === 'unknown'
      ? skipped(name, 'The egress addresses of the subnet could not be read.')
      : warned(
          name,
          `The API server takes connections from ${ranges} alone, and the subnet has no egress address of its own.`,
          'Give the subnet a NAT gateway, and put its address into the authorized ranges.',
        );
  const missing = addresses.filter((address) => !aks.authorizedRanges.some((range) => holds(range, address)));
  if (missing.length === 0)
    return good(name, `They hold ${addresses.join(', ')}, by which the subnet's packets leave.`);
  return failed(
    name,
    `They do not hold ${missing.join(', ')}, by which the subnet's packets leave.`,
    `az aks update --name ${aks.name} --resource-group ${aks.resourceGroup} --api-server-authorized-ip-ranges ${ranges},${missing.join(',')}`,
  );
}

function holds(range: string, address: string): boolean {
  const [base = '', bits = '32'] = address.split('/');
  return isWithinRange(base, range) && Number(range.split('/')[1] ?? 32) <= Number(bits);
}

/** What is known of a private cluster's zone and of the pods' network. */
export interface ZoneFacts {
  /** Ids of the networks that the zone is linked to. */
  readonly links: Part<readonly string[]>;
  readonly network: string;
  /** DNS servers of the network's own; empty: Azure's. */
  readonly dnsServers: Part<readonly string[]>;
}

/** Whether whoever is in the pods' network can resolve the API server's name; undefined: the cluster is not private. */
export function judgeZone(
  name: string,
  aks: AksFound,
  { links, network, dnsServers }: ZoneFacts,
  dns: ClusterRegistration['dns'],
): Check | undefined {
  if (!aks.isPrivate) return undefined;
  const { zone } = aks;
  if (zone === undefined)
    return skipped(
      name,
      'The cluster is private and AKS keeps no private DNS zone for it: its name is where you put it.',
    );
  if (links.kind === 'unreadable') return skipped(name, links.reason);
  if (links.value.some((id) => isSameId(id, network)))
    return good(name, `${zone.name} is linked to the pods' network.`);
  const sentence = `${zone.name} is not linked to the pods' network`;
  const fix = `az network private-dns link vnet create --resource-group ${zone.resourceGroup} --zone-name ${zone.name} --name pods --virtual-network ${network} --registration-enabled false`;
  const servers = dnsServers.kind === 'read' ? dnsServers.value : [];
  if (servers.length > 0)
    return warned(
      name,
      `${sentence}, which asks its own DNS servers (${servers.join(', ')}).`,
      `Those must know it; else ${fix}`,
    );
  if (dns !== undefined)
    return warned(
      name,
      `${sentence}: pods that ask the cluster's DNS find the API server, those of dnsPolicy Default do not, nor may ACI's kube-proxy.`,
      fix,
    );
  return failed(name, `${sentence}: no pod finds the API server.`, fix);
}
