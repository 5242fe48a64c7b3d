import * as z from 'zod';
import { isSameId } from '../../../shared/core/resource-id.ts';

/** How an AKS cluster gives addresses to its pods, as far as it matters to those outside of it. */
export interface AksNetwork {
  /** `flat`: pods have addresses of the virtual network. With `overlay` and `kubenet` nobody outside has a route to them. */
  readonly kind: 'flat' | 'overlay' | 'kubenet' | 'unknown';
  readonly podRange: string | undefined;
  readonly serviceRanges: readonly string[];
  /** Ids of the subnets that pods have their addresses from; empty where AKS made the network. */
  readonly podSubnets: readonly string[];
  /** The resource group of the machines, and of the network where AKS made it. */
  readonly nodeResourceGroup: string | undefined;
}

/** Of `az aks show`. */
export const aksNetworkFields = {
  networkProfile: z
    .object({
      networkPlugin: z.string().nullish(),
      networkPluginMode: z.string().nullish(),
      podCidr: z.string().nullish(),
      serviceCidr: z.string().nullish(),
      serviceCidrs: z.array(z.string()).nullish(),
    })
    .nullish(),
  agentPoolProfiles: z
    .array(z.object({ podSubnetId: z.string().nullish(), vnetSubnetId: z.string().nullish() }))
    .nullish(),
};
const shown = z.object({ ...aksNetworkFields, nodeResourceGroup: z.string().nullish() });

/**
 * The data plane does not matter: Cilium's too has flat addresses or hidden ones, and what turns ClusterIPs into
 * addresses of pods runs in the container group. Pure.
 */
export function aksNetwork({
  networkProfile,
  agentPoolProfiles,
  nodeResourceGroup,
}: z.infer<typeof shown>): AksNetwork {
  const { podCidr, serviceCidr, serviceCidrs } = networkProfile ?? {};
  const ranges = serviceCidrs?.length ? serviceCidrs : serviceCidr ? [serviceCidr] : [];
  const subnets = (agentPoolProfiles ?? []).flatMap(
    ({ podSubnetId, vnetSubnetId }) => podSubnetId || vnetSubnetId || [],
  );
  return {
    kind: kindOf(networkProfile ?? {}),
    podRange: podCidr || undefined,
    serviceRanges: ranges.filter((range) => !range.includes(':')),
    podSubnets: [...new Set(subnets)],
    nodeResourceGroup: nodeResourceGroup || undefined,
  };
}

function kindOf({
  networkPlugin,
  networkPluginMode,
}: Partial<NonNullable<z.infer<typeof shown>['networkProfile']>>): AksNetwork['kind'] {
  switch (networkPlugin?.toLowerCase()) {
    case 'kubenet':
      return 'kubenet';
    case 'azure':
      return networkPluginMode?.toLowerCase() === 'overlay' ? 'overlay' : 'flat';
    default:
      return 'unknown';
  }
}

/**
 * Whether a virtual network is the cluster's: that of its pods, or, where AKS made it, one in the group of the machines. Pure.
 */
export function isNetworkOf({ podSubnets, nodeResourceGroup }: AksNetwork, networkId: string): boolean {
  if (podSubnets.length > 0) return podSubnets.some((id) => isSameId(networkOf(id), networkId));
  return isSameId(nodeResourceGroup, networkId.split('/')[4]);
}

/** The id of the virtual network that a subnet is in. */
export const networkOf = (subnetId: string): string => subnetId.replace(/\/subnets\/[^/]*$/i, '');
