metadata description = 'Lets the pull identity, and nobody else, pull from one registry.'

@description('Object id of the pull identity. Never that of the app: containers can use an identity that pulls for their group.')
param principalId string

@description('Name of the registry, in the resource group of this deployment.')
param registryName string

var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: registryName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, principalId, acrPull)
  scope: registry
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}

@description('Host name of the registry, as images name it, in lower case.')
output loginServer string = toLower(registry.properties.loginServer)
