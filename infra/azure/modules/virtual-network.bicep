metadata description = 'Virtual network; its subnets are made by a module of their own, which serves existing networks too.'

import { tagsType } from 'types.bicep'

@description('Name of the virtual network.')
param name string

@description('Region of the virtual network.')
param location string

@description('Tags of the virtual network.')
param tags tagsType

@description('Address range (CIDR) of the virtual network.')
param addressPrefix string

// Without `subnets`: a later deployment leaves those that exist alone.
resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
  }
}
