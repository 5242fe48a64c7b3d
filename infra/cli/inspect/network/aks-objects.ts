import * as z from 'zod';
import type { AzureCli } from '../../azure-cli.ts';
import { subscriptionOf } from '../../../../shared/core/resource-id.ts';
import { aksNetwork, aksNetworkFields, networkOf } from '../../cluster/aks-network.ts';
import { ask } from '../azure-objects.ts';
import { read, unreadable } from '../observed.ts';
import type { Part } from '../observed.ts';
import type { AksFound, ZoneFacts } from './aks-judgements.ts';

const clusterSchema = z.object({
  id: z.string(),
  name: z.string(),
  resourceGroup: z.string(),
  nodeResourceGroup: z.string().nullish(),
  fqdn: z.string().nullish(),
  privateFqdn: z.string().nullish(),
  apiServerAccessProfile: z
    .object({
      authorizedIpRanges: z.array(z.string()).nullish(),
      enablePrivateCluster: z.boolean().nullish(),
      privateDnsZone: z.string().nullish(),
    })
    .nullish(),
  ...aksNetworkFields,
});
type Shown = z.infer<typeof clusterSchema>;

/** Of `az aks show`, or one of `az aks list`; undefined: it is none. Pure. */
export function parseAks(answer: unknown): AksFound | undefined {
  const shown = clusterSchema.safeParse(answer).data;
  if (shown === undefined) return undefined;
  const { name, resourceGroup, fqdn, privateFqdn, apiServerAccessProfile: access } = shown;
  const { kind } = aksNetwork(shown);
  const isPrivate = access?.enablePrivateCluster === true;
  return {
    name,
    resourceGroup,
    isPrivate,
    hidesPods: kind === 'kubenet' || kind === 'overlay',
    authorizedRanges: access?.authorizedIpRanges ?? [],
    hosts: [fqdn, privateFqdn].flatMap((host) => (host ? [host.toLowerCase()] : [])),
    zone: isPrivate ? zoneOf(shown) : undefined,
  };
}

/** `system`: AKS made it beside the nodes; an id: the operator's own; `none`: nobody's. */
function zoneOf({ id, nodeResourceGroup, privateFqdn, apiServerAccessProfile }: Shown): AksFound['zone'] {
  const zone = apiServerAccessProfile?.privateDnsZone ?? 'system';
  if (zone.startsWith('/')) {
    const [, , subscription = '', , resourceGroup = ''] = zone.split('/');
    return { name: zone.split('/').at(-1) ?? '', resourceGroup, subscription };
  }
  const name = privateFqdn?.replace(/^[^.]*\./, '');
  if (zone.toLowerCase() !== 'system' || !name || !nodeResourceGroup) return undefined;
  return { name, resourceGroup: nodeResourceGroup, subscription: subscriptionOf(id) };
}

const listSchema = z.array(z.unknown());

/** Which clusters there are: the one that is named by `show`, else those of the subscription. Reads only. */
export const readAksClusters = (
  az: AzureCli,
  { show, subscription }: { readonly show: readonly string[] | undefined; readonly subscription: string },
): Promise<Part<readonly AksFound[]>> =>
  show === undefined
    ? ask(az, ['aks', 'list', '--subscription', subscription], (answer) =>
        listSchema.safeParse(answer).data?.flatMap((one) => parseAks(one) ?? []),
      )
    : ask(az, ['aks', 'show', ...show], (answer) => {
        const found = parseAks(answer);
        return found && [found];
      });

/** The one whose API server has one of these hosts. Pure. */
export function findAks(clusters: Part<readonly AksFound[]>, hosts: readonly string[]): Part<AksFound> {
  if (clusters.kind === 'unreadable') return clusters;
  const found = clusters.value.find((one) => one.hosts.some((host) => hosts.includes(host)));
  return found === undefined
    ? unreadable(`No AKS cluster that your account sees there has the API server ${hosts[0] ?? ''}; --aks names one.`)
    : read(found);
}

const linksSchema = z.array(z.object({ virtualNetwork: z.object({ id: z.string() }).nullish() }));
const networkSchema = z.object({
  dhcpOptions: z.object({ dnsServers: z.array(z.string()).nullish() }).nullish(),
});

/** What the zone is linked to, and whom the subnet's network asks. Reads only. */
export async function readZone(
  az: AzureCli,
  { name, resourceGroup, subscription }: NonNullable<AksFound['zone']>,
  subnetId: string,
): Promise<ZoneFacts> {
  const network = networkOf(subnetId);
  const where = ['--resource-group', resourceGroup, '--zone-name', name, '--subscription', subscription];
  const [links, dnsServers] = await Promise.all([
    ask(az, ['network', 'private-dns', 'link', 'vnet', 'list', ...where], (answer) =>
      linksSchema.safeParse(answer).data?.flatMap(({ virtualNetwork }) => virtualNetwork?.id ?? []),
    ),
    ask(az, ['network', 'vnet', 'show', '--ids', network], (answer) => {
      const parsed = networkSchema.safeParse(answer).data;
      return parsed && (parsed.dhcpOptions?.dnsServers ?? []);
    }),
  ]);
  return { links, network, dnsServers };
}
