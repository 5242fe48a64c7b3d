targetScope = 'subscription'

metadata description = 'Custom reading role for what Azure has only at subscription scope, and its assignment to the app.'

@description('Object id of the app\'s identity.')
param principalId string

@description('What distinguishes this installation\'s roles from others\' in the tenant.')
param installationKey string

var subscriptionId = subscription().id
var role = loadJsonContent('../roles/subscription-reader.json')
var definitionName = guid(subscriptionId, installationKey, role.name)

resource definition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: definitionName
  properties: {
    roleName: '${role.name} (${installationKey})'
    description: role.description
    type: 'CustomRole'
    assignableScopes: [
      subscriptionId
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
  name: guid(subscriptionId, principalId, definitionName)
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
