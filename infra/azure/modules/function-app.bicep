metadata description = 'Flex Consumption plan and function app. It runs from a package in blob storage and reaches everything as its managed identity.'

import { alwaysReadyInstances, settingsType, tagsType } from 'types.bicep'

@description('Name of the function app; a part of its host name.')
param name string

@description('Region of the plan and the app.')
param location string

@description('Tags of the plan and the app.')
param tags tagsType

@description('Resource id of the user-assigned identity; empty for one that the system assigns.')
param identityId string

@description('Resource id of the identity that the app shows to a registry of Azure, besides its own; empty for none.')
param pullIdentityId string

@description('URL of the blob container of the packages.')
param packagesUrl string

@description('Megabytes of an instance.')
param instanceMemoryMB int

@description('The most instances of each function group.')
param maximumInstanceCount int

@description('HTTP requests that one instance serves at a time.')
param httpConcurrency int

@description('Instances that are always ready, by function group.')
param alwaysReady alwaysReadyInstances[]

@description('Whether instances are spread over zones.')
param zoneRedundant bool

@description('Resource id of the subnet that the app reaches out from; empty for none.')
param subnetId string

@description('Whether the app is reached from the internet.')
@allowed([
  'Enabled'
  'Disabled'
])
param publicNetworkAccess string

@description('Application settings.')
param settings settingsType

@description('Names of settings that stay as the app has them, where the ones above do not have them; empty: none, and none are read.')
param keptSettings string[]

var isUserAssigned = !empty(identityId)
var identityIds = filter([identityId, pullIdentityId], id => !empty(id))
var packagesAsUser = {
  type: 'UserAssignedIdentity'
  userAssignedIdentityResourceId: identityId
}
var packagesAsSystem = {
  type: 'SystemAssignedIdentity'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  // checkov:skip=CKV_AZURE_225: Zone redundancy is the parameter zoneRedundant; not every region has it.
  name: '${name}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  // checkov:skip=CKV_AZURE_16: The identity is always there; checkov does not see which of the two kinds the parameter chooses.
  // checkov:skip=CKV_AZURE_71: The identity is always there; checkov does not see which of the two kinds the parameter chooses.
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP, and its passwords are off below.
  // checkov:skip=CKV_AZURE_212: Flex Consumption scales from zero by itself; instances that are always ready are the parameter alwaysReady.
  // checkov:skip=CKV_AZURE_213: Flex Consumption has no health check path; the alerts watch the heartbeat.
  // checkov:skip=CKV_AZURE_17: The relay has no client certificate of Azure's; it shows its ServiceAccount token.
  // checkov:skip=CKV_AZURE_222: The relay posts from the cluster; publicNetworkAccess turns the public door off where the cluster has a private way.
  name: name
  location: location
  // azd finds the app by this tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: isUserAssigned ? 'UserAssigned' : empty(pullIdentityId) ? 'SystemAssigned' : 'SystemAssigned, UserAssigned'
    userAssignedIdentities: empty(identityIds) ? null : toObject(identityIds, id => id, id => {})
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: publicNetworkAccess
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: isUserAssigned ? identityId : 'SystemAssigned'
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: isUserAssigned ? packagesAsUser : packagesAsSystem
        }
      }
      runtime: {
        name: 'node'
        version: '24'
      }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = if (empty(keptSettings)) {
  // checkov:skip=CKV_AZURE_13: Every function verifies its caller itself: the relay's ServiceAccount token by TokenReview, before it looks at the body, which the host holds to 1 MiB.
  // checkov:skip=CKV_AZURE_63: Names and values of application settings, taken for the site's configuration; logs, runtime and access are the site's above.
  // checkov:skip=CKV_AZURE_65: Names and values of application settings, taken for the site's configuration; logs, runtime and access are the site's above.
  // checkov:skip=CKV_AZURE_66: Names and values of application settings, taken for the site's configuration; logs, runtime and access are the site's above.
  // checkov:skip=CKV_AZURE_80: Names and values of application settings, taken for the site's configuration; logs, runtime and access are the site's above.
  // checkov:skip=CKV_AZURE_88: Names and values of application settings, taken for the site's configuration; logs, runtime and access are the site's above.
  // checkov:skip=CKV_AZURE_222: Names and values of application settings, taken for the site's configuration; logs, runtime and access are the site's above.
  parent: app
  name: 'appsettings'
  properties: settings
}

// In a deployment of its own, as the settings of an app can be read only once it is there.
module settingsThatStay 'kept-settings.bicep' = if (!empty(keptSettings)) {
  name: 'kept-settings-${uniqueString(name)}'
  params: {
    appName: app.name
    settings: settings
    #disable-next-line what-if-short-circuiting
    current: empty(keptSettings) ? {} : list('${app.id}/config/appsettings', '2025-03-01').properties
    names: keptSettings
  }
}

// Packages are published with the publisher's own Entra token, never with a password.
resource scmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource ftpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

@description('Name of the function app.')
output name string = app.name

@description('Host name of the function app.')
output hostName string = app.properties.defaultHostName

@description('Object id of the identity that the system assigned; empty with a user-assigned one.')
output systemPrincipalId string = app.identity.?principalId ?? ''
