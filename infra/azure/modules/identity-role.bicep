metadata description = 'Custom role for giving container groups a user-assigned identity, and its assignments to the app, on each of these identities alone.'

@description('Object id of the app\'s identity.')
param principalId string

@description('What distinguishes this installation\'s roles from others\' in the tenant.')
param installationKey string

@description('Names of the identities, in the resource group of this deployment; each once.')
param identityNames string[]

var groupId = resourceGroup().id
var role = loadJsonContent('../roles/identity-assign.json')
var definitionName = guid(groupId, installationKey, role.name)

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for name in identityNames: {
    name: name
  }
]

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

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in identityNames: {
    name: guid(identities[index].id, principalId, definitionName)
    scope: identities[index]
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
]
