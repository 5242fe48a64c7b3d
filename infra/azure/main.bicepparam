using './main.bicep'

// The least: no network, pods without an address. `azd up` sets the variables; by hand:
//   az deployment group create -g <group> -f infra/azure/main.bicep -p infra/azure/main.bicepparam
var operator = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')

param installation = toLower(take(readEnvironmentVariable('AZURE_ENV_NAME', 'kubelet'), 24))

// Whoever deploys may use the command line.
param operators = empty(operator) ? [] : [operator]

param tags = {
  'azd-env-name': readEnvironmentVariable('AZURE_ENV_NAME', 'kubelet')
}
