targetScope = 'resourceGroup'

metadata name = 'serverless-kubelet'
metadata description = 'A function app that shows Azure Container Instances to Kubernetes as nodes, with the storage, identity, roles and telemetry that it needs, and no keys.'

@description('A setting whose value is a secret of a key vault.')
type keyVaultReference = {
  @description('Name of the setting.')
  name: string

  @description('URI of the secret, without a version to follow its rotation.')
  secretUri: string
}

@description('Instances that wait for work, and are paid while they do.')
type alwaysReadyInstances = {
  @description('`http`, or `function:` and the name of a timer function.')
  name: string

  @description('How many.')
  @minValue(1)
  instanceCount: int
}

@description('Name of this installation: 1 to 24 of a-z, 0-9 and "-", first and last a letter or digit. Names the container groups, the nodes\' owner and the registrations; never change it.')
@maxLength(24)
param installation string

@description('Region of everything that is made here.')
param location string = resourceGroup().location

@description('Tags of everything that is made here.')
param tags object = {}

@description('Whether the storage account is locked against deletion. Remove the lock before the installation is removed.')
param lockStorage bool = false

@description('Name of the function app, unique in Azure.')
@minLength(2)
@maxLength(60)
param functionAppName string = '${installation}-${uniqueString(resourceGroup().id, installation)}'

@description('Name of the storage account, unique in Azure: 3 to 24 of a-z and 0-9.')
@minLength(3)
@maxLength(24)
param storageAccountName string = 'kubelet${uniqueString(resourceGroup().id, installation)}'

@description('Whose identity the app has: one of its own that outlives the app (user-assigned), so that the rights which clusters gave it stay when the app is made anew; or the system\'s.')
@allowed([
  'UserAssigned'
  'SystemAssigned'
])
param identityType string = 'UserAssigned'

@description('Object ids of the users and groups that use the command line: they may change registrations, and begin and remove the rows of nodes.')
param operators string[] = []

@description('Resource group of the container groups, in this subscription; it exists already.')
param containerGroupsResourceGroup string = resourceGroup().name

@description('Region of the container groups.')
param containerGroupsLocation string = location

@description('What happens to a pod that asks for hardening which the group\'s isolation meets: named in an event, or refused.')
@allowed([
  'compatible'
  'strict'
])
param securityPolicy string = 'compatible'

@description('Minutes after which a pod that Azure has no room for becomes Failed; 0 means never.')
@minValue(0)
@maxValue(999999)
param onCapacityFailAfterMinutes int = 0

@description('The subscription\'s limit of creates, and of deletes, of container groups in five minutes.')
@minValue(1)
@maxValue(999999)
param createsPer5Minutes int = 100

@description('The subscription\'s limit of creates, and of deletes, of container groups in an hour.')
@minValue(1)
@maxValue(999999)
param createsPerHour int = 300

@description('Cores of the largest container group in the region.')
@minValue(1)
@maxValue(999999)
param maxGroupCpu int = 31

@description('Gigabytes of memory of the largest container group in the region.')
@minValue(1)
@maxValue(999999)
param maxGroupMemoryInGB int = 240

@description('Further settings of the app, such as those that hold clusters\' tokens in a trial. They are readable in the portal: secrets belong into a key vault.')
param furtherSettings object = {}

@description('Settings that are references to secrets of a key vault.')
param keyVaultReferences keyVaultReference[] = []

@description('Resource id of the key vault, in which the app is then allowed to read secrets; empty when that is arranged elsewhere.')
param keyVaultId string = ''

@description('Megabytes of an instance of the app.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 512

@description('The most instances of each function group.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('HTTP requests that one instance serves at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('Instances that are always ready, by function group; none costs least.')
param alwaysReady alwaysReadyInstances[] = []

@description('Whether the app\'s instances are spread over zones, in regions that can. Azure then keeps two instances of each function group ready, and they are paid.')
param zoneRedundant bool = false

@description('Whether the app is reached from the internet. The relay posts to it: `Disabled` needs a private way from the cluster.')
@allowed([
  'Enabled'
  'Disabled'
])
param publicNetworkAccess string = 'Enabled'

@description('Redundancy of the storage account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_LRS'

@description('Megabytes of logs that are taken in a day; what comes after is dropped until the next. An idle month needs less than 100.')
@minValue(30)
@maxValue(100000)
param logsDailyCapMb int = 250

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logsRetentionInDays int = 30

@description('Whether a workbook and alert rules are made.')
param monitoring bool = true

@description('Address that alerts are sent to; empty: they are seen in the portal only.')
param alertEmail string = ''

@description('Whether a virtual network is made.')
param createVirtualNetwork bool = false

@description('Address range (CIDR, /22 or larger) of the virtual network that is made; it must not overlap the cluster\'s.')
param virtualNetworkAddressPrefix string = '10.60.0.0/16'

@description('Resource id of an existing virtual network in this region, such as the cluster\'s, in which subnets are made whose ranges are given.')
param virtualNetworkId string = ''

@description('Resource id of an existing subnet that the app reaches out from: delegated to Microsoft.App/environments, /27 or larger.')
param appSubnetId string = ''

@description('Range (CIDR, /27 or larger) of a subnet for the app that is made in the virtual network; by default the first /24 of a virtual network that is made.')
param appSubnetPrefix string = ''

@description('Resource id of an existing subnet for pods: delegated to Microsoft.ContainerInstance/containerGroups, with a NAT gateway.')
param containerGroupsSubnetId string = ''

@description('Range (CIDR) of a subnet for pods that is made in the virtual network; by default the second /24 of a virtual network that is made. Without a subnet pods have no address.')
param containerGroupsSubnetPrefix string = ''

@description('Whether the storage account is reached by private endpoints only; needs a subnet for the app and one for the endpoints.')
param privateEndpoints bool = false

@description('Resource id of an existing subnet for private endpoints.')
param privateEndpointsSubnetId string = ''

@description('Range (CIDR) of a subnet for private endpoints that is made in the virtual network; by default the third /24 of a virtual network that is made.')
param privateEndpointsSubnetPrefix string = ''

@description('Whether private DNS zones are made for the private endpoints; false where they are kept in a hub.')
param createPrivateDnsZones bool = true

@description('Public IP ranges (CIDR) that reach the storage account besides its private endpoints, such as those of the operators.')
param storageAllowedIpRanges string[] = []

var suffix = uniqueString(resourceGroup().id, installation)
var prefix = 'serverless-kubelet-${installation}'
var installationKey = '${installation}-${suffix}'
var packagesContainer = 'packages'
var registrationsContainer = 'serverless-kubelet'

var isUserAssigned = identityType == 'UserAssigned'

// Conditions and scopes are known when the deployment starts, so they come from parameters only.
var makesVirtualNetwork = createVirtualNetwork && empty(virtualNetworkId)
var hasVirtualNetwork = makesVirtualNetwork || !empty(virtualNetworkId)
var madeRanges = {
  app: makesVirtualNetwork ? cidrSubnet(virtualNetworkAddressPrefix, 24, 0) : ''
  containerGroups: makesVirtualNetwork ? cidrSubnet(virtualNetworkAddressPrefix, 24, 1) : ''
  privateEndpoints: makesVirtualNetwork && privateEndpoints ? cidrSubnet(virtualNetworkAddressPrefix, 24, 2) : ''
}
var ranges = {
  app: !empty(appSubnetId) ? '' : empty(appSubnetPrefix) ? madeRanges.app : appSubnetPrefix
  containerGroups: !empty(containerGroupsSubnetId) ? '' : empty(containerGroupsSubnetPrefix) ? madeRanges.containerGroups : containerGroupsSubnetPrefix
  privateEndpoints: !empty(privateEndpointsSubnetId) ? '' : empty(privateEndpointsSubnetPrefix) ? madeRanges.privateEndpoints : privateEndpointsSubnetPrefix
}
var makesSubnets = !empty(ranges.app) || !empty(ranges.containerGroups) || !empty(ranges.privateEndpoints)
var hasContainerGroupsSubnet = !empty(containerGroupsSubnetId) || !empty(ranges.containerGroups)
var madeNames = {
  virtualNetwork: '${prefix}-network'
  app: 'serverless-kubelet-app'
  containerGroups: 'serverless-kubelet-container-groups'
  privateEndpoints: 'serverless-kubelet-private-endpoints'
}

// A resource id split at its slashes: 2 the subscription, 4 the resource group, 8 the resource, 10 what is in it.
var networkParts = split(empty(virtualNetworkId) ? resourceId('Microsoft.Network/virtualNetworks', madeNames.virtualNetwork) : virtualNetworkId, '/')
var containerGroupsSubnetParts = split(empty(containerGroupsSubnetId) ? '${join(networkParts, '/')}/subnets/${madeNames.containerGroups}' : containerGroupsSubnetId, '/')
var keyVaultParts = split(empty(keyVaultId) ? resourceId('Microsoft.KeyVault/vaults', 'none') : keyVaultId, '/')

var identityId = isUserAssigned ? identity!.outputs.id : ''
var clientId = isUserAssigned ? identity!.outputs.clientId : ''
var principalId = isUserAssigned ? identity!.outputs.principalId : app.outputs.systemPrincipalId
var appSubnet = !empty(appSubnetId) ? appSubnetId : empty(ranges.app) ? '' : subnets!.outputs.appSubnetId
var containerGroupsSubnet = !empty(containerGroupsSubnetId) ? containerGroupsSubnetId : empty(ranges.containerGroups) ? '' : subnets!.outputs.containerGroupsSubnetId
var privateEndpointsSubnet = !empty(privateEndpointsSubnetId) ? privateEndpointsSubnetId : empty(ranges.privateEndpoints) ? '' : subnets!.outputs.privateEndpointsSubnetId
var registrationsUrl = '${storage.outputs.blobEndpoint}${registrationsContainer}/${installation}.json'
var resourceManager = environment().resourceManager

// What the Functions host reads; it keeps leases and keys in blobs.
var hostSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: isUserAssigned ? 'ClientId=${clientId};Authorization=AAD' : 'Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry.outputs.connectionString
  // The page at the root would tell everybody that a function app is here.
  AzureWebJobsDisableHomepage: 'true'
  AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
  AzureWebJobsStorage__tableServiceUri: storage.outputs.tableEndpoint
  // The host reads a body whole, and hands it to the app, before the app sees who sent it; its own limit is 100 MB. The relay posts at most 256 KiB.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
}
var identitySettings = isUserAssigned ? {
  AZURE_CLIENT_ID: clientId
  AzureWebJobsStorage__clientId: clientId
} : {}
var appSettings = {
  ACI_CREATES_PER_5_MINUTES: string(createsPer5Minutes)
  ACI_CREATES_PER_HOUR: string(createsPerHour)
  ACI_MAX_GROUP_CPU: string(maxGroupCpu)
  ACI_MAX_GROUP_MEMORY_GB: string(maxGroupMemoryInGB)
  ACI_SUBNET_ID: containerGroupsSubnet
  ARM_ENDPOINT: endsWith(resourceManager, '/') ? substring(resourceManager, 0, length(resourceManager) - 1) : resourceManager
  AZURE_LOCATION: toLower(replace(containerGroupsLocation, ' ', ''))
  AZURE_RESOURCE_GROUP: containerGroupsResourceGroup
  AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
  INSTALLATION: installation
  ON_CAPACITY_FAIL_AFTER_MINUTES: string(onCapacityFailAfterMinutes)
  REGISTRATIONS_URL: registrationsUrl
  SECURITY_POLICY: securityPolicy
}
var referenceSettings = toObject(keyVaultReferences, item => item.name, item => '@Microsoft.KeyVault(SecretUri=${item.secretUri})')

module identity 'modules/identity.bicep' = if (isUserAssigned) {
  name: '${installation}-identity'
  params: {
    name: '${prefix}-identity'
    location: location
    tags: tags
  }
}

module virtualNetwork 'modules/virtual-network.bicep' = if (makesVirtualNetwork) {
  name: '${installation}-virtual-network'
  params: {
    name: madeNames.virtualNetwork
    location: location
    tags: tags
    addressPrefix: virtualNetworkAddressPrefix
  }
}

module subnets 'modules/subnets.bicep' = if (makesSubnets) {
  name: '${installation}-subnets-${suffix}'
  scope: resourceGroup(networkParts[2], networkParts[4])
  params: {
    virtualNetworkName: makesVirtualNetwork ? virtualNetwork!.outputs.name : hasVirtualNetwork ? networkParts[8] : fail('A subnet\'s range is given, but no virtual network: set virtualNetworkId, or createVirtualNetwork to true.')
    name: prefix
    location: location
    tags: tags
    appSubnetName: madeNames.app
    appSubnetPrefix: ranges.app
    containerGroupsSubnetName: madeNames.containerGroups
    containerGroupsSubnetPrefix: ranges.containerGroups
    privateEndpointsSubnetName: madeNames.privateEndpoints
    privateEndpointsSubnetPrefix: ranges.privateEndpoints
  }
}

module storage 'modules/storage.bicep' = {
  name: '${installation}-storage'
  params: {
    name: storageAccountName
    location: location
    tags: tags
    sku: storageSku
    packagesContainer: packagesContainer
    registrationsContainer: registrationsContainer
    isPrivate: privateEndpoints
    allowedIpRanges: storageAllowedIpRanges
    isLocked: lockStorage
  }
}

module privateEndpointsOfStorage 'modules/private-endpoints.bicep' = if (privateEndpoints) {
  name: '${installation}-private-endpoints'
  params: {
    name: storageAccountName
    location: location
    tags: tags
    storageAccountId: storage.outputs.id
    subnetId: empty(appSubnet) || empty(privateEndpointsSubnet) ? fail('privateEndpoints needs a subnet for the app and one for the endpoints: set createVirtualNetwork to true, or their ids, or virtualNetworkId and their ranges.') : privateEndpointsSubnet
    createDnsZones: createPrivateDnsZones
  }
}

module telemetry 'modules/telemetry.bicep' = {
  name: '${installation}-telemetry'
  params: {
    name: prefix
    location: location
    tags: tags
    dailyCapMb: logsDailyCapMb
    retentionInDays: logsRetentionInDays
  }
}

module workbook 'modules/workbook.bicep' = if (monitoring) {
  name: '${installation}-workbook'
  params: {
    location: location
    tags: tags
    applicationInsightsId: telemetry.outputs.componentId
    workspaceId: telemetry.outputs.workspaceId
    functionAppName: functionAppName
  }
}

module alerts 'modules/alerts.bicep' = if (monitoring) {
  name: '${installation}-alerts'
  params: {
    location: location
    tags: tags
    applicationInsightsId: telemetry.outputs.componentId
    workspaceId: telemetry.outputs.workspaceId
    functionAppName: functionAppName
    actionGroupEmail: alertEmail
  }
}

module app 'modules/function-app.bicep' = {
  name: '${installation}-function-app'
  params: {
    name: functionAppName
    location: location
    tags: tags
    identityId: identityId
    packagesUrl: '${storage.outputs.blobEndpoint}${packagesContainer}'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    subnetId: appSubnet
    publicNetworkAccess: publicNetworkAccess
    settings: union(furtherSettings, referenceSettings, hostSettings, identitySettings, appSettings)
  }
  dependsOn: [
    privateEndpointsOfStorage
  ]
}

module access 'modules/access.bicep' = {
  name: '${installation}-access'
  params: {
    principalId: principalId
    storageAccountName: storage.outputs.name
    registrationsContainer: registrationsContainer
    componentName: telemetry.outputs.componentName
    operators: operators
  }
}

module containerGroupsRole 'modules/container-groups-role.bicep' = {
  name: '${installation}-container-groups-role-${suffix}'
  scope: resourceGroup(containerGroupsResourceGroup)
  params: {
    principalId: principalId
    installationKey: installationKey
  }
}

module subscriptionRole 'modules/subscription-role.bicep' = {
  // ARM keeps a subscription's deployment in the region where it was first made: the group in another region needs another name.
  name: '${installation}-subscription-role-${uniqueString(resourceGroup().id, resourceGroup().location, installation)}'
  scope: subscription()
  params: {
    principalId: principalId
    installationKey: installationKey
  }
}

module subnetRole 'modules/subnet-role.bicep' = if (hasContainerGroupsSubnet) {
  name: '${installation}-subnet-role-${suffix}'
  scope: resourceGroup(containerGroupsSubnetParts[2], containerGroupsSubnetParts[4])
  params: {
    principalId: principalId
    installationKey: installationKey
    virtualNetworkName: containerGroupsSubnetParts[8]
    subnetName: containerGroupsSubnetParts[10]
  }
  dependsOn: [
    subnets
  ]
}

module keyVaultAccess 'modules/key-vault-access.bicep' = if (!empty(keyVaultId)) {
  name: '${installation}-key-vault-access-${suffix}'
  scope: resourceGroup(keyVaultParts[2], keyVaultParts[4])
  params: {
    principalId: principalId
    keyVaultName: keyVaultParts[8]
  }
}

@description('Name of the function app: `func azure functionapp publish`, `serverless-kubelet attach --app`.')
output functionAppName string = app.outputs.name

@description('URL of the function app, where the relay posts.')
output functionAppUrl string = 'https://${app.outputs.hostName}'

@description('Resource group of the function app.')
output resourceGroupName string = resourceGroup().name

@description('Object id of the app\'s identity: its user name in Kubernetes.')
output principalId string = principalId

@description('Client id of the app\'s identity; empty when the system assigned it.')
output clientId string = clientId

@description('Blob that holds the cluster registrations.')
output registrationsUrl string = registrationsUrl

@description('Name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('Resource group of the container groups.')
output containerGroupsResourceGroup string = containerGroupsResourceGroup

@description('Subnet of the container groups; empty for none.')
output containerGroupsSubnetId string = containerGroupsSubnet

@description('Public address that the app and the pods come from when their subnets were made here; empty otherwise. For a cluster\'s authorized ranges.')
output egressAddress string = makesSubnets ? subnets!.outputs.egressAddress : ''

@description('Name of the Application Insights component.')
output applicationInsightsName string = telemetry.outputs.componentName
