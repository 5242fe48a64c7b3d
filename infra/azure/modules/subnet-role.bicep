metadata description = 'Custom role for putting container groups into one subnet, and its assignment to the app, on that subnet alone.'

@description('Object id of the app\'s identity.')
param principalId string

@description('What distinguishes this installation\'s roles from others\' in the tenant.')
param installationKey string

@description('Name of the virtual network, in the resource group of this deployment.')
param virtualNetworkName string

@description('Name of the subnet that is delegated to container groups.')
param subnetName string

var groupId = resourceGroup().id
var role = loadJsonContent('../roles/subnet-join.json')
var definitionName = guid(groupId, installationKey, role.name)

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: virtualNetworkName
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' existing = {
  parent: virtualNetwork
  name: subnetName
}

resource definition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: definitionName
  properties: {
    // A name is unique in the tenant; with another resource group the definition is another one.
    roleName: '${role.name} (${installationKey}, ${resourceGroup().name})'
    description: role.description
    type: 'CustomRole'
    assignableScopes: [
      groupId
    ]
    permissions: [
      {
        actions: role.actions
        notActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subnet.id, principalId, definitionName)
  scope: subnet
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    // The form in which Azure keeps it: a later deployment finds it unchanged.
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', definitionName)
  }
  dependsOn: [
    definition
  ]
}
