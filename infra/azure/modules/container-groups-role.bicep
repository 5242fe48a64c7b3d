metadata description = 'Custom role for container groups and its assignment to the app, on the resource group that holds the groups.'

@description('Object id of the app\'s identity.')
param principalId string

@description('What distinguishes this installation\'s roles from others\' in the tenant.')
param installationKey string

var groupId = resourceGroup().id
var role = loadJsonContent('../roles/container-groups.json')
var definitionName = guid(groupId, installationKey, role.name)

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
  name: guid(groupId, principalId, definitionName)
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
