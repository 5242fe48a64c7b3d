using './main.bicep'

// A network and a storage account that nobody else reaches, spread over zones, locked, with instances that are always ready:
//   az deployment group create -g <group> -f infra/azure/main.bicep -p infra/azure/production.bicepparam
// Without a slash at its end.
var vaultUri = readEnvironmentVariable('KEY_VAULT_URI', 'https://kubelet-secrets.example')

param installation = 'prod-weu'

param location = 'westeurope'

param tags = {
  environment: 'production'
  workload: 'serverless-kubelet'
}

param lockStorage = true

// The group exists, and holds nothing but container groups.
param containerGroupsResourceGroup = 'aci-pods'

param operators = [
  '22222222-2222-4222-8222-222222222222'
]

param securityPolicy = 'strict'

param onCapacityFailAfterMinutes = 30

param instanceMemoryMB = 2048

param alwaysReady = [
  {
    name: 'function:node-heartbeat'
    instanceCount: 1
  }
]

param zoneRedundant = true

param storageSku = 'Standard_ZRS'

param logsDailyCapMb = 1000

param logsRetentionInDays = 90

param alertEmail = 'operators@example.com'

param createVirtualNetwork = true

param virtualNetworkAddressPrefix = '10.60.0.0/16'

param privateEndpoints = true

// Where the operators' command line comes from.
param storageAllowedIpRanges = [
  '203.0.113.0/29'
]

param keyVaultId = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/secrets/providers/Microsoft.KeyVault/vaults/kubelet-secrets'

// The setting that a cluster's registration names, for a cluster without Entra: "auth": {"kind": "token", "setting": "EDGE_TOKEN"}.
param keyVaultReferences = [
  {
    name: 'EDGE_TOKEN'
    secretUri: '${vaultUri}/secrets/edge-token'
  }
]

// Images come from it; its identity pulls there and does nothing else.
param containerRegistryId = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/prodimages'

// Pods may have these where a cluster's grants say so: attach --grants.
param podIdentityIds = [
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/team-a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reports'
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/team-a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/billing'
]
