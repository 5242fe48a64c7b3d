metadata description = 'Storage account of the app, reached by identity only: registrations, state and ledger, kept logs, the package, and what the Functions host keeps.'

import { tagsType } from 'types.bicep'

@description('Name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region of the storage account.')
param location string

@description('Tags of the storage account.')
param tags tagsType

@description('Redundancy of the storage account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param sku string

@description('Blob container of the packages that the app runs from.')
param packagesContainer string

@description('Blob container of the cluster registrations.')
param registrationsContainer string

@description('Whether the account is reached through private endpoints, and from the given ranges only besides.')
param isPrivate bool

@description('Public IP ranges (CIDR) that reach a private account.')
param allowedIpRanges string[]

@description('Whether the account is locked against deletion.')
param isLocked bool

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  // checkov:skip=CKV_AZURE_35: The app's addresses are not known without a network of its own; keys are off, so each request needs an identity with a role. isPrivate denies by default.
  // checkov:skip=CKV_AZURE_59: Public access is off when isPrivate; without a network the app could not reach its own storage.
  // checkov:skip=CKV_AZURE_206: The redundancy is a parameter; what is lost with the account is built again from Kubernetes and ARM, and the production example has zone redundancy.
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate && empty(allowedIpRanges) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [
        for range in allowedIpRanges: {
          action: 'Allow'
          value: range
        }
      ]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // A registration that was deleted or overwritten by mistake can be had back.
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: packagesContainer
  properties: {
    publicAccess: 'None'
  }
}

resource registrations 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: registrationsContainer
  properties: {
    publicAccess: 'None'
  }
}

// On the account and not on the resource group: a lock there would keep the app from deleting container groups.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  name: '${name}-no-delete'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the cluster registrations and the usage ledger.'
  }
}

@description('Resource id of the storage account.')
output id string = account.id

@description('Blob endpoint, with a slash at its end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Queue endpoint, with a slash at its end.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Table endpoint, with a slash at its end.')
output tableEndpoint string = account.properties.primaryEndpoints.table
