import type { AzureCli } from '../../../../../infra/cli/azure-cli.ts';
import { failure } from '../../../../../infra/cli/stop.ts';

const network = '/subscriptions/s-1/resourceGroups/net/providers/Microsoft.Network';
export const vnetId = `${network}/virtualNetworks/prod`;
export const subnetId = `${vnetId}/subnets/pods`;

/** As az shows rules: one of each pair of members has the value, the other is null or empty. */
export const nsgRule = (name: string, priority: number, changes: Readonly<Record<string, unknown>> = {}) => ({
  name,
  access: 'Deny',
  direction: 'Outbound',
  priority,
  protocol: '*',
  sourceAddressPrefix: '*',
  sourceAddressPrefixes: [],
  sourcePortRange: '*',
  sourcePortRanges: [],
  destinationAddressPrefix: '*',
  destinationAddressPrefixes: [],
  destinationPortRange: '*',
  destinationPortRanges: [],
  provisioningState: 'Succeeded',
  type: 'Microsoft.Network/networkSecurityGroups/securityRules',
  ...changes,
});

/** Those that Azure puts into each group. */
export const defaultRules = [
  nsgRule('AllowVnetInBound', 65_000, {
    access: 'Allow',
    direction: 'Inbound',
    sourceAddressPrefix: 'VirtualNetwork',
    destinationAddressPrefix: 'VirtualNetwork',
  }),
  nsgRule('AllowAzureLoadBalancerInBound', 65_001, {
    access: 'Allow',
    direction: 'Inbound',
    sourceAddressPrefix: 'AzureLoadBalancer',
  }),
  nsgRule('DenyAllInBound', 65_500, { direction: 'Inbound' }),
  nsgRule('AllowVnetOutBound', 65_000, {
    access: 'Allow',
    sourceAddressPrefix: 'VirtualNetwork',
    destinationAddressPrefix: 'VirtualNetwork',
  }),
  nsgRule('AllowInternetOutBound', 65_001, { access: 'Allow', destinationAddressPrefix: 'Internet' }),
  nsgRule('DenyAllOutBound', 65_500),
];

interface AzureWorld {
  readonly subnet?: Readonly<Record<string, unknown>>;
  readonly rules?: readonly object[];
  readonly routes?: readonly object[];
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Answers of az in the shapes that it has them. */
export function azureOf({ subnet = {}, rules, routes, more = {} }: AzureWorld): Readonly<Record<string, unknown>> {
  return {
    ...more,
    [`network vnet subnet show --ids ${subnetId}`]: {
      addressPrefix: '10.2.0.0/24',
      addressPrefixes: null,
      defaultOutboundAccess: null,
      delegations: [{ serviceName: 'Microsoft.ContainerInstance/containerGroups' }],
      id: subnetId,
      ipConfigurationProfiles: [],
      natGateway: null,
      networkSecurityGroup: rules === undefined ? null : { id: `${network}/networkSecurityGroups/pods-nsg` },
      routeTable: routes === undefined ? null : { id: `${network}/routeTables/pods-routes` },
      ...subnet,
    },
    'network nsg show': { name: 'pods-nsg', securityRules: rules, defaultSecurityRules: defaultRules },
    'network route-table show': { name: 'pods-routes', routes },
    'network nat gateway show': {
      name: 'nat',
      publicIpAddresses: [{ id: `${network}/publicIPAddresses/nat-1` }],
      publicIpPrefixes: [{ id: `${network}/publicIPPrefixes/nat` }],
    },
    'network public-ip show': { name: 'nat-1', ipAddress: '20.1.1.1' },
    'network public-ip prefix show': { name: 'nat', ipPrefix: '20.2.0.0/30' },
  };
}

export const withNat = { natGateway: { id: `${network}/natGateways/nat` } };

export const azOf = (answers: Readonly<Record<string, unknown>>): AzureCli => ({
  json: (words) => {
    const line = words.join(' ');
    const key = Object.keys(answers).find((one) => line.startsWith(one));
    return key === undefined
      ? Promise.reject(
          failure(`az ${words.slice(0, 2).join(' ')}: your account has no role that allows this`, 'ask an owner'),
        )
      : Promise.resolve(answers[key]);
  },
});
