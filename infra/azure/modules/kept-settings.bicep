metadata description = 'Settings of a function app that is there already: those given, and of those that it has the ones that are to stay.'

import { readSettingsType, settingsType } from 'types.bicep'

@description('Name of the function app.')
param appName string

@description('Settings as they are to be.')
param settings settingsType

@description('Settings as the app has them.')
param current readSettingsType

@description('Names of settings that stay as the app has them, where the ones given do not have them.')
param names string[]

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  // checkov:skip=CKV_AZURE_13: As of the same settings in function-app.bicep.
  // checkov:skip=CKV_AZURE_63: As of the same settings in function-app.bicep.
  // checkov:skip=CKV_AZURE_65: As of the same settings in function-app.bicep.
  // checkov:skip=CKV_AZURE_66: As of the same settings in function-app.bicep.
  // checkov:skip=CKV_AZURE_80: As of the same settings in function-app.bicep.
  // checkov:skip=CKV_AZURE_88: As of the same settings in function-app.bicep.
  // checkov:skip=CKV_AZURE_222: As of the same settings in function-app.bicep.
  parent: app
  name: 'appsettings'
  properties: union(
    toObject(filter(names, name => contains(current, name)), name => name, name => current[name]),
    settings
  )
}
