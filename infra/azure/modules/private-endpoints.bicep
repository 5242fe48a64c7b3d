metadata description = 'Private endpoints of the storage account, one for each of its services that the Functions host and the app use.'

import { tagsType } from 'types.bicep'

@description('Name that the endpoints begin with.')
param name string

@description('Region of the endpoints.')
param location string

@description('Tags of the endpoints and the DNS zones.')
param tags tagsType

@description('Resource id of the storage account.')
param storageAccountId string

@description('Resource id of the subnet of the endpoints.')
param subnetId string

@description('Resource id of the virtual network of that subnet.')
param virtualNetworkId string

@description('Whether private DNS zones are made and linked to the virtual network; otherwise they are kept elsewhere.')
param createDnsZones bool

var services = [
  'blob'
  'queue'
  'table'
]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for service in services: {
    name: '${name}-${service}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: service
          properties: {
            privateLinkServiceId: storageAccountId
            groupIds: [
              service
            ]
          }
        }
      ]
    }
  }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: if (createDnsZones) {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, index) in services: if (createDnsZones) {
    parent: zones[index]
    name: '${service}-${uniqueString(virtualNetworkId)}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: virtualNetworkId
      }
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (service, index) in services: if (createDnsZones) {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: service
          properties: {
            privateDnsZoneId: zones[index]!.id
          }
        }
      ]
    }
  }
]
