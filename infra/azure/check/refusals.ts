/** Parameters that cannot work, in the form of a parameter file, and the sentence in which the template refuses them. */
export interface Refusal {
  readonly name: string;
  readonly parameters: string;
  readonly sentence: string;
}

const subnet = '/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…/subnets/…';
const identity = '/subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…';
const networkId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v';
const network = `'${networkId}'`;

export const refusals: readonly Refusal[] = [
  {
    name: 'an installation that the app would refuse',
    parameters: "param installation = 'Bad_Name-'",
    sentence: 'installation is "Bad_Name-": write 1 to 24 of a-z, 0-9 and "-", first and last a letter or digit.',
  },
  {
    name: 'no installation',
    parameters: "param installation = ''",
    sentence: 'installation is "": write 1 to 24 of a-z, 0-9 and "-", first and last a letter or digit.',
  },
  ...(['appSubnetId', 'containerGroupsSubnetId', 'privateEndpointsSubnetId'] as const).map((parameter) => ({
    name: `a name for ${parameter}`,
    parameters: `param installation = 'k'\nparam ${parameter} = 'aci'`,
    sentence: `${parameter} is "aci": write ${subnet}.`,
  })),
  {
    name: 'the id of a virtual network for a subnet',
    parameters: `param installation = 'k'\nparam containerGroupsSubnetId = ${network}`,
    sentence: `write ${subnet}.`,
  },
  {
    name: 'the id of a subnet without its name',
    parameters: `param installation = 'k'\nparam containerGroupsSubnetId = '${networkId}/subnets/'`,
    sentence: `write ${subnet}.`,
  },
  {
    name: 'a name for a virtual network',
    parameters: "param installation = 'k'\nparam virtualNetworkId = 'network'",
    sentence:
      'virtualNetworkId is "network": write /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/….',
  },
  {
    name: 'a name for a key vault',
    parameters: "param installation = 'k'\nparam keyVaultId = 'my-vault'",
    sentence:
      'keyVaultId is "my-vault": write /subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/….',
  },
  {
    name: 'a name for a registry',
    parameters: "param installation = 'k'\nparam containerRegistryId = 'prod.azurecr.io'",
    sentence:
      'containerRegistryId is "prod.azurecr.io": write /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/….',
  },
  {
    name: "names, and nothing, for pods' identities",
    parameters: "param installation = 'k'\nparam podIdentityIds = ['reports', '']",
    sentence: `podIdentityIds has "reports", "": write ${identity}.`,
  },
  {
    name: "the app's own identity for pods",
    parameters:
      "param installation = 'k'\nparam podIdentityIds = ['/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/Kubelet/providers/Microsoft.ManagedIdentity/userAssignedIdentities/serverless-kubelet-k-identity']",
    sentence:
      "podIdentityIds has the app's own identity, with which a pod could do all that the app does: leave it out.",
  },
  ...['10.60.0.0/24', '10.60.0.0', '10.60.0.0/x'].map((range) => ({
    name: `${range} for a virtual network`,
    parameters: `param installation = 'k'\nparam createVirtualNetwork = true\nparam virtualNetworkAddressPrefix = '${range}'`,
    sentence: `virtualNetworkAddressPrefix is "${range}": write a range of /8 to /22, such as 10.60.0.0/16.`,
  })),
  {
    name: 'two virtual networks',
    parameters: `param installation = 'k'\nparam createVirtualNetwork = true\nparam virtualNetworkId = ${network}`,
    sentence: 'createVirtualNetwork makes a virtual network, and virtualNetworkId names another: give one of them.',
  },
  {
    name: "a subnet's range without a network",
    parameters: "param installation = 'k'\nparam appSubnetPrefix = '10.0.0.0/27'",
    sentence:
      "A subnet's range is given, but no virtual network: set virtualNetworkId, or createVirtualNetwork to true.",
  },
  {
    name: 'private endpoints without a subnet',
    parameters: "param installation = 'k'\nparam privateEndpoints = true",
    sentence:
      'privateEndpoints needs a subnet for the app and one for the endpoints: set createVirtualNetwork to true, or their ids, or virtualNetworkId and their ranges.',
  },
  {
    name: "a setting of the template's own",
    parameters: "param installation = 'k'\nparam furtherSettings = { aci_subnet_id: 'x', MINE: 'y' }",
    sentence:
      'furtherSettings and keyVaultReferences may name no setting twice, and none that the template makes: leave out aci_subnet_id.',
  },
  {
    name: 'a setting twice',
    parameters:
      "param installation = 'k'\nparam furtherSettings = { MINE: 'y' }\nparam keyVaultReferences = [{ name: 'MINE', secretUri: 'https://v.example/secrets/s' }]",
    sentence: 'leave out MINE, MINE.',
  },
];
