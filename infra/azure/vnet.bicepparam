using './main.bicep'

// Pods with addresses in the cluster's own virtual network, which two subnets are made in:
//   az deployment group create -g <group> -f infra/azure/main.bicep -p infra/azure/vnet.bicepparam
param installation = 'kubelet'

param virtualNetworkId = readEnvironmentVariable(
  'VIRTUAL_NETWORK_ID',
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/cluster'
)

param appSubnetPrefix = '10.224.240.0/27'

param containerGroupsSubnetPrefix = '10.224.241.0/24'
