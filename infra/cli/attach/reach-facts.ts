import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AppSettings } from '../app-settings.ts';
import { isNetworkOf, networkOf } from '../cluster/aks-network.ts';
import type { AksNetwork } from '../cluster/aks-network.ts';
import type { ReachFacts, ReachWants } from '../cluster/reach-of-pods.ts';
import { podsHolding } from '../cluster/services-credentials.ts';
import type { CredentialSecret } from '../cluster/services-credentials.ts';
import type { CliContext } from '../context.ts';
import { readNetwork, readSubnet } from '../inspect/azure-objects.ts';
import type { NetworkFacts } from '../inspect/azure-objects.ts';
import { isServiceAddress, readClusterDomain, readDnsService, readServiceRanges } from '../inspect/cluster-dns.ts';
import { createClusterReader } from '../inspect/cluster-reader.ts';
import type { ClusterReader } from '../inspect/cluster-reader.ts';
import { read, valueOf } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import { readServicesSecrets } from '../inspect/services-secrets.ts';
import { failure, Stop } from '../stop.ts';

export interface ReachPlace {
  readonly wants: ReachWants;
  readonly app: AppSettings;
  readonly namespace: string;
  readonly clusterUid: string;
  readonly registered: ClusterRegistration | undefined;
  /** Of an AKS cluster that az reported. */
  readonly aks: AksNetwork | undefined;
  readonly keepsChart: boolean;
  readonly isDryRun: boolean;
}

/**
 * What {@link ReachFacts} says of this cluster and network. What can not be read is as if it were not there, apart from
 * Secrets: groups may have their tokens, and {@link refuseUnread} goes on from there. Reads only.
 */
export async function gatherReach(context: CliContext, place: ReachPlace): Promise<ReachFacts> {
  const { wants, app, aks, keepsChart, isDryRun } = place;
  const reader = createClusterReader(context.api, undefined);
  const subnetId = app.settings.ACI_SUBNET_ID;
  const [dns, domain, ranges, serviceAddresses, { peers, ...azure }, secrets] = await Promise.all([
    readDnsService(reader),
    readClusterDomain(reader),
    readServiceRanges(reader),
    addressesOfServices(reader, wants.dns),
    readAzure(context, place),
    readSecrets(context, reader, place),
  ]);
  return {
    hasSubnet: subnetId !== undefined,
    network: aks?.kind,
    ...azure,
    isElsewhere:
      subnetId !== undefined &&
      aks !== undefined &&
      ![networkOf(subnetId), ...peers].some((id) => isNetworkOf(aks, id)),
    dnsAddress: valueOf(dns)?.address,
    dnsUnread: dns.kind === 'read' ? undefined : dns.reason,
    domain,
    serviceRanges: [...new Set([...(aks?.serviceRanges ?? []), ...ranges])],
    serviceAddresses,
    secrets: valueOf(secrets) ?? [],
    secretsUnread: secrets.kind === 'read' ? undefined : secrets.reason,
    keepsChart,
    isDryRun,
    nowMs: Date.now(),
  };
}

/** Stops before a chart is changed that would take away Secrets that were only not seen. */
export function refuseUnread(
  { secretsUnread, keepsChart, isDryRun }: Pick<ReachFacts, 'secretsUnread' | 'keepsChart' | 'isDryRun'>,
  namespace: string,
): void {
  if (secretsUnread === undefined || keepsChart || isDryRun) return;
  throw failure(
    `the Secrets of Services in ${namespace} can't be read, and groups may have their tokens: ${secretsUnread.replace(/\.$/, '')}`,
    'the same command again; it takes a user who may get Secrets there',
  );
}

async function addressesOfServices(reader: ClusterReader, dns: ReachWants['dns']): Promise<readonly string[]> {
  if (typeof dns !== 'object') return [];
  const asked = await Promise.all(
    dns.map(async (address) => ((await isServiceAddress(reader, address)) ? [address] : [])),
  );
  return asked.flat();
}

/** Only where az is used anyway, and Services may come on. */
async function readAzure(
  { az }: CliContext,
  { wants, app, aks }: ReachPlace,
): Promise<Pick<ReachFacts, 'podRange' | 'subnetRanges'> & Pick<NetworkFacts, 'peers'>> {
  const subnetId = app.settings.ACI_SUBNET_ID;
  const mayAsk = aks !== undefined || app.source.kind === 'azure';
  if (!mayAsk || subnetId === undefined || wants.services === 'off')
    return { podRange: aks?.podRange, subnetRanges: [], peers: [] };
  const [network, pools] = await Promise.all([
    readPodsNetwork(az, subnetId),
    Promise.all((aks?.podSubnets ?? []).map((id) => readSubnet(az, id))),
  ]);
  const ofPools = [...new Set(pools.flatMap((pool) => valueOf(pool)?.prefixes ?? []))];
  const single = ofPools.length === 1 ? ofPools[0] : undefined;
  return {
    podRange: aks?.podRange ?? single,
    subnetRanges: network.ranges,
    peers: network.peers,
  };
}

/** Of the subnet alone where its network can't be read. */
async function readPodsNetwork(az: CliContext['az'], subnetId: string): Promise<NetworkFacts> {
  const network = await readNetwork(az, subnetId);
  if (network.kind === 'read') return network.value;
  const own = valueOf(await readSubnet(az, subnetId))?.prefixes ?? [];
  return { ranges: own.filter((range) => !range.includes(':')), peers: [] };
}

/** With the pods that have their tokens, where that decides anything. */
async function readSecrets(
  context: CliContext,
  reader: ClusterReader,
  { app, namespace, clusterUid, registered }: ReachPlace,
): Promise<Part<readonly CredentialSecret[]>> {
  const seen = await readServicesSecrets(reader, namespace);
  if (seen.kind === 'unreadable') return seen;
  const secrets = seen.value;
  const isDecided = secrets.every(({ name }) => name === registered?.services?.credential);
  const groups = isDecided ? undefined : await listGroups(context);
  const home = { installation: app.settings.INSTALLATION, cluster: clusterUid };
  return read(secrets.map((secret) => ({ ...secret, pods: groups && podsHolding(groups, home, secret) })));
}

async function listGroups(context: CliContext): Promise<Parameters<typeof podsHolding>[0] | undefined> {
  try {
    const listed = await (await context.groups()).list(context.signal);
    return listed.ok ? listed.value : undefined;
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}
