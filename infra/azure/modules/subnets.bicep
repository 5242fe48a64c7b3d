metadata description = 'Subnets of the app, the container groups and the private endpoints in a virtual network of this resource group, each where a range is given; egress is by a NAT gateway.'

import { tagsType } from 'types.bicep'

@description('Name of the virtual network.')
param virtualNetworkName string

@description('Name that the resources beside the subnets begin with.')
param name string

@description('Region of the virtual network.')
param location string

@description('Tags of the resources beside the subnets.')
param tags tagsType

@description('Name of the app\'s subnet.')
param appSubnetName string

@description('Range (CIDR, /27 or larger) of the app\'s subnet; empty for none.')
param appSubnetPrefix string

@description('Name of the container groups\' subnet.')
param containerGroupsSubnetName string

@description('Range (CIDR) of the container groups\' subnet; empty for none.')
param containerGroupsSubnetPrefix string

@description('Name of the private endpoints\' subnet.')
param privateEndpointsSubnetName string

@description('Range (CIDR) of the private endpoints\' subnet; empty for none.')
param privateEndpointsSubnetPrefix string

var hasEgress = !empty(appSubnetPrefix) || !empty(containerGroupsSubnetPrefix)

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: virtualNetworkName
}

// The default rules: within the virtual network all, from outside nothing.
resource securityGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${name}-nsg'
  location: location
  tags: tags
}

resource egressAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (hasEgress) {
  name: '${name}-egress'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

// Container groups in a subnet reach nothing outside without one, not even their image's registry.
resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = if (hasEgress) {
  name: '${name}-nat'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    idleTimeoutInMinutes: 10
    publicIpAddresses: [
      {
        id: egressAddress!.id
      }
    ]
  }
}

// One after the other: Azure refuses two changes of one virtual network at a time.
resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = if (!empty(appSubnetPrefix)) {
  parent: virtualNetwork
  name: appSubnetName
  properties: {
    addressPrefix: appSubnetPrefix
    defaultOutboundAccess: false
    natGateway: {
      id: natGateway!.id
    }
    networkSecurityGroup: {
      id: securityGroup.id
    }
    delegations: [
      {
        name: 'functions'
        properties: {
          serviceName: 'Microsoft.App/environments'
        }
      }
    ]
  }
}

resource containerGroupsSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = if (!empty(containerGroupsSubnetPrefix)) {
  parent: virtualNetwork
  name: containerGroupsSubnetName
  properties: {
    addressPrefix: containerGroupsSubnetPrefix
    defaultOutboundAccess: false
    natGateway: {
      id: natGateway!.id
    }
    networkSecurityGroup: {
      id: securityGroup.id
    }
    delegations: [
      {
        name: 'container-groups'
        properties: {
          serviceName: 'Microsoft.ContainerInstance/containerGroups'
        }
      }
    ]
  }
  dependsOn: [
    appSubnet
  ]
}

resource privateEndpointsSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = if (!empty(privateEndpointsSubnetPrefix)) {
  parent: virtualNetwork
  name: privateEndpointsSubnetName
  properties: {
    addressPrefix: privateEndpointsSubnetPrefix
    defaultOutboundAccess: false
    networkSecurityGroup: {
      id: securityGroup.id
    }
  }
  dependsOn: [
    appSubnet
    containerGroupsSubnet
  ]
}

@description('Resource id of the app\'s subnet; empty for none.')
output appSubnetId string = empty(appSubnetPrefix) ? '' : appSubnet!.id

@description('Resource id of the container groups\' subnet; empty for none.')
output containerGroupsSubnetId string = empty(containerGroupsSubnetPrefix) ? '' : containerGroupsSubnet!.id

@description('Resource id of the private endpoints\' subnet; empty for none.')
output privateEndpointsSubnetId string = empty(privateEndpointsSubnetPrefix) ? '' : privateEndpointsSubnet!.id

@description('Public address that the app and the pods come from; empty for none.')
output egressAddress string = hasEgress ? egressAddress!.properties.ipAddress : ''
