targetScope = 'resourceGroup'

metadata name = 'serverless-kubelet'
metadata description = 'A function app that shows Azure Container Instances to Kubernetes as nodes, with the storage, identity, roles and telemetry that it needs, and no keys.'

import { alwaysReadyInstances, settingsType, tagsType } from 'modules/types.bicep'

@description('A setting whose value is a secret of a key vault.')
type keyVaultReference = {
  @description('Name of the setting.')
  name: string

  @description('URI of the secret, without a version to follow its rotation.')
  secretUri: string
}

@description('Name of this installation: 1 to 24 of a-z, 0-9 and "-", first and last a letter or digit. Names the container groups, the nodes\' owner and the registrations; never change it.')
@maxLength(24)
param installation string

@description('Region of everything that is made here.')
param location string = resourceGroup().location

@description('Tags of everything that is made here.')
param tags tagsType = {}

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
param furtherSettings settingsType = {}

@description('Whether AGENT_IMAGE and AGENT_ROOT_KEYS, which the command line has written, stay as the app has them; only where the app is there already. Without it, and without them in furtherSettings or keyVaultReferences, a deployment takes them away, and agents of running groups are refused.')
param keepAgentSettings bool = false

@description('Settings that are references to secrets of a key vault.')
param keyVaultReferences keyVaultReference[] = []

@description('Resource id of the key vault, in which the app is then allowed to read secrets; empty when that is arranged elsewhere.')
param keyVaultId string = ''

@description('Resource id of an Azure Container Registry that pods\' images come from: an identity is made that may pull there and do nothing else, and container groups pull with it. Empty: pods bring pull secrets.')
param containerRegistryId string = ''

@description('Resource ids of user-assigned identities that the app may give to pods. Which pods may name which is said by the grants of a cluster: `attach --grants`.')
param podIdentityIds string[] = []

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

// Settings that this template makes: those of the lists below, by their names.
var ownSettings = [
  'ACI_CREATES_PER_5_MINUTES'
  'ACI_CREATES_PER_HOUR'
  'ACI_MAX_GROUP_CPU'
  'ACI_MAX_GROUP_MEMORY_GB'
  'ACI_SUBNET_ID'
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
  'APPLICATIONINSIGHTS_CONNECTION_STRING'
  'ARM_ENDPOINT'
  'AZURE_CLIENT_ID'
  'AZURE_LOCATION'
  'AZURE_RESOURCE_GROUP'
  'AZURE_SUBSCRIPTION_ID'
  'AzureWebJobsDisableHomepage'
  'AzureWebJobsStorage__blobServiceUri'
  'AzureWebJobsStorage__clientId'
  'AzureWebJobsStorage__credential'
  'AzureWebJobsStorage__queueServiceUri'
  'AzureWebJobsStorage__tableServiceUri'
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'
  'INSTALLATION'
  'ON_CAPACITY_FAIL_AFTER_MINUTES'
  'REGISTRATIONS_URL'
  'REGISTRY_PULL_CLIENT_ID'
  'REGISTRY_PULL_IDENTITIES'
  'SECURITY_POLICY'
]

// Of a resource id in lower case: all but its names. No index is out of bounds, whatever is there.
func kindOf(id string) string =>
  join(map([1, 3, 5, 6, 7, 9], index => split('${toLower(id)}//////////', '/')[index]), '/')

// Whether a value is '' or a resource id of that kind, of so many parts.
func isId(id string, kind string, parts int) bool =>
  empty(id) || (kindOf(id) == kind && length(split(id, '/')) == parts && !contains('${id}/', '//'))

var networkKind = 'subscriptions/resourcegroups/providers/microsoft.network/virtualnetworks/'
var subnetKind = '${networkKind}subnets'
var keyVaultKind = 'subscriptions/resourcegroups/providers/microsoft.keyvault/vaults/'
var registryKind = 'subscriptions/resourcegroups/providers/microsoft.containerregistry/registries/'
var identityKind = 'subscriptions/resourcegroups/providers/microsoft.managedidentity/userassignedidentities/'
var networkForm = '/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…'
var subnetForm = '${networkForm}/subnets/…'
var keyVaultForm = '/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/…'
var registryForm = '/subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/…'
var identityForm = '/subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…'

var letters = map(range(0, length(installation)), index => substring(installation, index, 1))
var otherLetters = filter(letters, letter => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', letter))
var givenSettings = concat(objectKeys(furtherSettings), map(keyVaultReferences, item => item.name))
var doubledSettings = filter(
  givenSettings,
  name => length(filter(concat(ownSettings, givenSettings), other => toLower(other) == toLower(name))) > 1
)
var otherPodIdentities = filter(podIdentityIds, id => empty(id) || !isId(id, identityKind, 9))
var ownIdentityId = resourceId(
  'Microsoft.ManagedIdentity/userAssignedIdentities',
  'serverless-kubelet-${installation}-identity'
)
var addressPrefixLength = last(split(virtualNetworkAddressPrefix, '/'))
var isLargePrefix = contains(virtualNetworkAddressPrefix, '/') && contains(
  map(range(8, 15), length => string(length)),
  addressPrefixLength
)
var hasNetwork = createVirtualNetwork || !empty(virtualNetworkId)
var hasAppSubnet = !empty(appSubnetId) || !empty(appSubnetPrefix) || createVirtualNetwork
var hasPrivateEndpointsSubnet = !empty(privateEndpointsSubnetId) || !empty(privateEndpointsSubnetPrefix) || createVirtualNetwork

// Values that cannot work, each in one sentence. ARM evaluates them before anything is made.
var faults = filter(
  [
    empty(installation) || !empty(otherLetters) || startsWith(installation, '-') || endsWith(installation, '-')
      ? 'installation is "${installation}": write 1 to 24 of a-z, 0-9 and "-", first and last a letter or digit.'
      : ''
    createVirtualNetwork && !empty(virtualNetworkId)
      ? 'createVirtualNetwork makes a virtual network, and virtualNetworkId names another: give one of them.'
      : ''
    createVirtualNetwork && !isLargePrefix
      ? 'virtualNetworkAddressPrefix is "${virtualNetworkAddressPrefix}": write a range of /8 to /22, such as 10.60.0.0/16.'
      : ''
    !isId(virtualNetworkId, networkKind, 9) ? 'virtualNetworkId is "${virtualNetworkId}": write ${networkForm}.' : ''
    !isId(appSubnetId, subnetKind, 11) ? 'appSubnetId is "${appSubnetId}": write ${subnetForm}.' : ''
    !isId(containerGroupsSubnetId, subnetKind, 11)
      ? 'containerGroupsSubnetId is "${containerGroupsSubnetId}": write ${subnetForm}.'
      : ''
    !isId(privateEndpointsSubnetId, subnetKind, 11)
      ? 'privateEndpointsSubnetId is "${privateEndpointsSubnetId}": write ${subnetForm}.'
      : ''
    !isId(keyVaultId, keyVaultKind, 9) ? 'keyVaultId is "${keyVaultId}": write ${keyVaultForm}.' : ''
    !isId(containerRegistryId, registryKind, 9)
      ? 'containerRegistryId is "${containerRegistryId}": write ${registryForm}.'
      : ''
    !empty(otherPodIdentities) ? 'podIdentityIds has "${join(otherPodIdentities, '", "')}": write ${identityForm}.' : ''
    contains(map(podIdentityIds, id => toLower(id)), toLower(ownIdentityId))
      ? 'podIdentityIds has the app\'s own identity, with which a pod could do all that the app does: leave it out.'
      : ''
    !empty('${appSubnetPrefix}${containerGroupsSubnetPrefix}${privateEndpointsSubnetPrefix}') && !hasNetwork
      ? 'A subnet\'s range is given, but no virtual network: set virtualNetworkId, or createVirtualNetwork to true.'
      : ''
    privateEndpoints && !(hasAppSubnet && hasPrivateEndpointsSubnet)
      ? 'privateEndpoints needs a subnet for the app and one for the endpoints: set createVirtualNetwork to true, or their ids, or virtualNetworkId and their ranges.'
      : ''
    !empty(doubledSettings)
      ? 'furtherSettings and keyVaultReferences may name no setting twice, and none that the template makes: leave out ${join(doubledSettings, ', ')}.'
      : ''
  ],
  fault => !empty(fault)
)

var suffix = uniqueString(resourceGroup().id, installation)
var prefix = empty(faults) ? 'serverless-kubelet-${installation}' : fail(join(faults, ' '))
var installationKey = '${installation}-${suffix}'
var packagesContainer = 'packages'
var registrationsContainer = 'serverless-kubelet'
var componentName = '${prefix}-insights'

var isUserAssigned = identityType == 'UserAssigned'

// Conditions, scopes and names are known when the deployment starts, so they come from parameters only: `what-if` then
// sees all of it. Only the identity's object id cannot be known before the identity is there, so that its role
// assignments are not predicted for a new one.
var madeRanges = {
  app: createVirtualNetwork ? cidrSubnet(virtualNetworkAddressPrefix, 24, 0) : ''
  containerGroups: createVirtualNetwork ? cidrSubnet(virtualNetworkAddressPrefix, 24, 1) : ''
  privateEndpoints: createVirtualNetwork && privateEndpoints ? cidrSubnet(virtualNetworkAddressPrefix, 24, 2) : ''
}
var ranges = {
  app: !empty(appSubnetId) ? '' : empty(appSubnetPrefix) ? madeRanges.app : appSubnetPrefix
  containerGroups: !empty(containerGroupsSubnetId)
    ? ''
    : empty(containerGroupsSubnetPrefix) ? madeRanges.containerGroups : containerGroupsSubnetPrefix
  privateEndpoints: !empty(privateEndpointsSubnetId)
    ? ''
    : empty(privateEndpointsSubnetPrefix) ? madeRanges.privateEndpoints : privateEndpointsSubnetPrefix
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
var networkId = empty(virtualNetworkId)
  ? resourceId('Microsoft.Network/virtualNetworks', madeNames.virtualNetwork)
  : virtualNetworkId
var networkParts = split(networkId, '/')
var containerGroupsSubnetParts = split(
  empty(containerGroupsSubnetId) ? '${networkId}/subnets/${madeNames.containerGroups}' : containerGroupsSubnetId,
  '/'
)
var keyVaultParts = split(empty(keyVaultId) ? resourceId('Microsoft.KeyVault/vaults', 'none') : keyVaultId, '/')

var hasRegistry = !empty(containerRegistryId)
var registryParts = split(
  hasRegistry ? containerRegistryId : resourceId('Microsoft.ContainerRegistry/registries', 'none'),
  '/'
)
var pullIdentityName = '${prefix}-pull'
var assignableIdentityIds = concat(
  hasRegistry ? [resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', pullIdentityName)] : [],
  podIdentityIds
)
// One deployment for each resource group of theirs: two of the same one would write the same role at the same time.
var identityGroupIds = union(map(assignableIdentityIds, id => toLower(split(id, '/providers/')[0])), [])

var identityId = isUserAssigned ? identity!.outputs.id : ''
var pullIdentityId = hasRegistry ? pullIdentity!.outputs.id : ''
var clientId = isUserAssigned ? identity!.outputs.clientId : ''
var principalId = isUserAssigned ? identity!.outputs.principalId : app.outputs.systemPrincipalId
var appSubnet = !empty(appSubnetId) ? appSubnetId : empty(ranges.app) ? '' : subnets!.outputs.appSubnetId
var containerGroupsSubnet = !empty(containerGroupsSubnetId)
  ? containerGroupsSubnetId
  : empty(ranges.containerGroups) ? '' : subnets!.outputs.containerGroupsSubnetId
var privateEndpointsSubnet = !empty(privateEndpointsSubnetId)
  ? privateEndpointsSubnetId
  : empty(ranges.privateEndpoints) ? '' : subnets!.outputs.privateEndpointsSubnetId
var registrationsUrl = '${storage.outputs.blobEndpoint}${registrationsContainer}/${installation}.json'
var resourceManager = environment().resourceManager
var armEndpoint = endsWith(resourceManager, '/')
  ? substring(resourceManager, 0, max(length(resourceManager) - 1, 0))
  : resourceManager

// What the Functions host reads; it keeps leases and keys in blobs.
var hostSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: isUserAssigned
    ? 'ClientId=${clientId};Authorization=AAD'
    : 'Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry.outputs.connectionString
  // The page at the root would show everybody that a function app is here.
  AzureWebJobsDisableHomepage: 'true'
  AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
  AzureWebJobsStorage__tableServiceUri: storage.outputs.tableEndpoint
  // The host reads a body whole, and hands it to the app, before the app sees who sent it; its own limit is 100 MB. The relay posts at most 256 KiB.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
}
var identitySettings = isUserAssigned
  ? {
      AZURE_CLIENT_ID: clientId
      AzureWebJobsStorage__clientId: clientId
    }
  : {}
var appSettings = {
  ACI_CREATES_PER_5_MINUTES: string(createsPer5Minutes)
  ACI_CREATES_PER_HOUR: string(createsPerHour)
  ACI_MAX_GROUP_CPU: string(maxGroupCpu)
  ACI_MAX_GROUP_MEMORY_GB: string(maxGroupMemoryInGB)
  ACI_SUBNET_ID: containerGroupsSubnet
  ARM_ENDPOINT: armEndpoint
  AZURE_LOCATION: toLower(replace(containerGroupsLocation, ' ', ''))
  AZURE_RESOURCE_GROUP: containerGroupsResourceGroup
  AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
  INSTALLATION: installation
  ON_CAPACITY_FAIL_AFTER_MINUTES: string(onCapacityFailAfterMinutes)
  REGISTRATIONS_URL: registrationsUrl
  REGISTRY_PULL_CLIENT_ID: hasRegistry ? pullIdentity!.outputs.clientId : ''
  REGISTRY_PULL_IDENTITIES: hasRegistry ? string({ '${registryPull!.outputs.loginServer}': pullIdentityId }) : ''
  SECURITY_POLICY: securityPolicy
}
var referenceSettings = toObject(
  keyVaultReferences,
  item => item.name,
  item => '@Microsoft.KeyVault(SecretUri=${item.secretUri})'
)

module identity 'modules/identity.bicep' = if (isUserAssigned) {
  name: '${installation}-identity'
  params: {
    name: '${prefix}-identity'
    location: location
    tags: tags
  }
}

module pullIdentity 'modules/identity.bicep' = if (hasRegistry) {
  name: '${installation}-pull-identity'
  params: {
    name: pullIdentityName
    location: location
    tags: tags
  }
}

module registryPull 'modules/registry-pull.bicep' = if (hasRegistry) {
  name: '${installation}-registry-pull-${suffix}'
  scope: resourceGroup(registryParts[2], registryParts[4])
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: pullIdentity!.outputs.principalId
    registryName: registryParts[8]
  }
}

module virtualNetwork 'modules/virtual-network.bicep' = if (createVirtualNetwork) {
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
    virtualNetworkName: networkParts[8]
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
  dependsOn: [
    virtualNetwork
  ]
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
    subnetId: privateEndpointsSubnet
    virtualNetworkId: empty(privateEndpointsSubnetId) ? networkId : split(privateEndpointsSubnetId, '/subnets/')[0]
    createDnsZones: createPrivateDnsZones
  }
}

module telemetry 'modules/telemetry.bicep' = {
  name: '${installation}-telemetry'
  params: {
    workspaceName: '${prefix}-logs'
    componentName: componentName
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
    pullIdentityId: pullIdentityId
    packagesUrl: '${storage.outputs.blobEndpoint}${packagesContainer}'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    subnetId: appSubnet
    publicNetworkAccess: publicNetworkAccess
    settings: union(furtherSettings, referenceSettings, hostSettings, identitySettings, appSettings)
    keptSettings: keepAgentSettings ? ['AGENT_IMAGE', 'AGENT_ROOT_KEYS'] : []
  }
  dependsOn: [
    privateEndpointsOfStorage
  ]
}

module access 'modules/access.bicep' = {
  name: '${installation}-access'
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: principalId
    storageAccountName: storageAccountName
    registrationsContainer: registrationsContainer
    componentName: componentName
    operators: operators
  }
}

module containerGroupsRole 'modules/container-groups-role.bicep' = {
  name: '${installation}-container-groups-role-${suffix}'
  scope: resourceGroup(containerGroupsResourceGroup)
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: principalId
    installationKey: installationKey
  }
}

module subscriptionRole 'modules/subscription-role.bicep' = {
  // ARM keeps a subscription's deployment in the region where it was first made: the group in another region needs another name.
  #disable-next-line no-loc-expr-outside-params
  name: '${installation}-subscription-role-${uniqueString(resourceGroup().id, resourceGroup().location, installation)}'
  scope: subscription()
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: principalId
    installationKey: installationKey
  }
}

module subnetRole 'modules/subnet-role.bicep' = if (hasContainerGroupsSubnet) {
  name: '${installation}-subnet-role-${suffix}'
  scope: resourceGroup(containerGroupsSubnetParts[2], containerGroupsSubnetParts[4])
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: principalId
    installationKey: installationKey
    virtualNetworkName: containerGroupsSubnetParts[8]
    subnetName: containerGroupsSubnetParts[10]
  }
}

// After the app, whose output `principalId` may be, and so after the pull identity.
module identityRoles 'modules/identity-role.bicep' = [
  for groupId in identityGroupIds: {
    name: '${installation}-identity-role-${suffix}'
    scope: resourceGroup(split(groupId, '/')[2], split(groupId, '/')[4])
    params: {
      #disable-next-line what-if-short-circuiting
      principalId: principalId
      installationKey: installationKey
      identityNames: union(
        map(
          filter(map(assignableIdentityIds, id => toLower(id)), id => startsWith(id, '${groupId}/')),
          id => split(id, '/')[8]
        ),
        []
      )
    }
  }
]

module keyVaultAccess 'modules/key-vault-access.bicep' = if (!empty(keyVaultId)) {
  name: '${installation}-key-vault-access-${suffix}'
  scope: resourceGroup(keyVaultParts[2], keyVaultParts[4])
  params: {
    #disable-next-line what-if-short-circuiting
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
output storageAccountName string = storageAccountName

@description('Resource group of the container groups.')
output containerGroupsResourceGroup string = containerGroupsResourceGroup

@description('Subnet of the container groups; empty for none.')
output containerGroupsSubnetId string = containerGroupsSubnet

@description('Public address that the app and the pods come from when their subnets were made here; empty otherwise. For a cluster\'s authorized ranges.')
output egressAddress string = makesSubnets ? subnets!.outputs.egressAddress : ''

@description('Name of the Application Insights component.')
output applicationInsightsName string = componentName
