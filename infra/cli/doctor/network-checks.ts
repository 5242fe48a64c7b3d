import { isIP } from 'node:net';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import { azAppArgs } from '../app-settings.ts';
import type { AppSource } from '../app-settings.ts';
import { clusterSource } from '../cluster/find-cluster.ts';
import type { AzureCli } from '../azure-cli.ts';
import type { CliContext } from '../context.ts';
import { good, skipped } from '../inspect/check.ts';
import { judgeRanges, judgeZone } from '../inspect/network/aks-judgements.ts';
import type { AksFound } from '../inspect/network/aks-judgements.ts';
import { findAks, readAksClusters, readZone } from '../inspect/network/aks-objects.ts';
import type { Remote } from '../inspect/network/security-rules.ts';
import { wayOutOf } from '../inspect/network/subnet-facts.ts';
import type { SubnetNetwork } from '../inspect/network/subnet-facts.ts';
import {
  consoleWay,
  inboundWay,
  internetWay,
  judgeSecurity,
  judgeWayOut,
} from '../inspect/network/subnet-judgements.ts';
import type { NeededWay } from '../inspect/network/subnet-judgements.ts';
import { readAppSubnet, readSubnetNetwork } from '../inspect/network/subnet-objects.ts';
import { unreadable, valueOf } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import type { ReachFacts } from '../inspect/pods-reach/facts.ts';
import type { ReportCheck } from './azure-checks.ts';

/** What Azure says of the subnet and of the AKS clusters that it leads to. */
export interface NetworkSeen {
  readonly subnet: SubnetNetwork | undefined;
  readonly clusters: Part<readonly AksFound[]>;
}

export interface NetworkCheck {
  readonly settings: Settings;
  readonly source: AppSource;
  readonly hasAz: boolean;
}

const nothingSeen: NetworkSeen = { subnet: undefined, clusters: unreadable('Only az knows it.') };

/** The pods' subnet, and that of the app. Reads only. */
export async function checkNetwork(
  { az, options }: CliContext,
  { settings, source, hasAz }: NetworkCheck,
  report: ReportCheck,
): Promise<NetworkSeen> {
  const { ACI_SUBNET_ID: id, AZURE_SUBSCRIPTION_ID: subscription } = settings;
  if (!hasAz) {
    report(skipped("pods' subnet", 'Its security group, routes and way out are known to az only.'));
    return nothingSeen;
  }
  const named = clusterSource(options);
  const show = named.kind === 'aks' ? named.args : undefined;
  const clusters = await readAksClusters(az, { show, subscription });
  const subnet = id === undefined ? undefined : await readSubnetNetwork(az, id);
  if (subnet === undefined) report(skipped("pods' subnet", 'Pods are in none (ACI_SUBNET_ID).'));
  if (subnet?.kind === 'unreadable') report(skipped("pods' subnet", subnet.reason));
  if (subnet?.kind === 'read') {
    report(judgeSecurity("pods' subnet: outbound rules", subnet.value, [internetWay]));
    report(judgeSecurity("pods' subnet: inbound rules", subnet.value, [inboundWay], 'warning'));
    report(judgeWayOut("pods' subnet: way out", subnet.value));
  }
  if (source.kind === 'azure') await checkAppSubnet(az, source, report);
  return { subnet: subnet && valueOf(subnet), clusters };
}

/** Exec and attach go from where the app runs; that the pods' subnet has a part in it is not documented. */
async function checkAppSubnet(
  az: AzureCli,
  source: Extract<AppSource, { kind: 'azure' }>,
  report: ReportCheck,
): Promise<void> {
  const name = "app's subnet: exec and attach";
  const own = await readAppSubnet(az, azAppArgs(source));
  if (own.kind === 'unreadable') return report(skipped(name, own.reason));
  if (own.value.id === undefined)
    return report(good(name, 'The app is in no network of yours: nothing keeps it back.'));
  const network = await readSubnetNetwork(az, own.value.id);
  report(
    network.kind === 'unreadable' ? skipped(name, network.reason) : judgeSecurity(name, network.value, [consoleWay]),
  );
}

/** What lies between the subnet and one cluster. Reads only; answers what separates one cause from another. */
export async function checkClusterNetwork(
  { az }: CliContext,
  { cluster, seen, dnsPods }: ClusterNetwork,
  report: ReportCheck,
): Promise<Pick<ReachFacts, 'aks' | 'wayOut'>> {
  const { subnet } = seen;
  const of = (name: string): string => `${cluster.name}: ${name}`;
  const { apiServerForPods: way, dns } = cluster;
  const hosts = [new URL(cluster.server).hostname, ...(typeof way === 'object' ? [way.host] : [])];
  const aks = findAks(
    seen.clusters,
    hosts.map((host) => host.toLowerCase()),
  );
  const wayOut = subnet === undefined ? ({ kind: 'unknown' } as const) : wayOutOf(subnet);
  if (subnet === undefined) return { aks, wayOut };
  report(judgeSecurity(of("rules of the pods' subnet"), subnet, neededWays(cluster, dnsPods, valueOf(aks))));
  if (aks.kind === 'unreadable') report(skipped(of('AKS'), aks.reason));
  const found = valueOf(aks);
  const ranges = found && judgeRanges(of('authorized IP ranges'), found, subnet);
  if (ranges !== undefined) report(ranges);
  if (found?.isPrivate === true) {
    const unread = { links: unreadable('It has none.'), network: '', dnsServers: unreadable('not asked') };
    const facts = found.zone === undefined ? unread : await readZone(az, found.zone, subnet.id);
    const zone = judgeZone(of('private DNS zone'), found, facts, dns);
    if (zone !== undefined) report(zone);
  }
  return { aks, wayOut };
}

export interface ClusterNetwork {
  readonly cluster: ClusterRegistration;
  readonly seen: NetworkSeen;
  /** `ADDRESS:PORT` of those of the cluster's DNS. */
  readonly dnsPods: readonly string[];
}

/** By a ClusterIP a packet leaves the group for the address of a pod. */
export function neededWays(
  { dns, apiServerForPods: way }: ClusterRegistration,
  dnsPods: readonly string[],
  aks: AksFound | undefined,
): readonly NeededWay[] {
  const servers = dns?.viaServices === true ? dnsPods : (dns?.nameServers ?? []).map((server) => `${server}:53`);
  const names = servers.flatMap((server): readonly NeededWay[] => {
    const [address = '', port = '53'] = server.split(':');
    return (['tcp', 'udp'] as const).map((protocol) => ({
      what: `${protocol.toUpperCase()} ${port} to ${address} (the cluster's DNS)`,
      packet: { isInbound: false, protocol, port: Number(port), remote: { kind: 'address', address } },
    }));
  });
  if (typeof way !== 'object') return names;
  const { host, port } = way;
  const isNear = aks?.isPrivate === true || host.includes('.privatelink.');
  const remote: Remote =
    isIP(host) === 0 ? { kind: isNear ? 'network' : 'internet' } : { kind: 'address', address: host };
  const api: NeededWay = {
    what: `${port} to ${host} (the API server)`,
    packet: { isInbound: false, protocol: 'tcp', port, remote },
  };
  return [...names, api];
}
