metadata description = 'Application Insights over a Log Analytics workspace with a daily cap.'

import { tagsType } from 'types.bicep'

@description('Name of the workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param componentName string

@description('Region of both resources.')
param location string

@description('Tags of both resources.')
param tags tagsType

@description('Megabytes that the workspace takes in a day; what comes after is dropped until the next.')
param dailyCapMb int

@description('Days that logs are kept.')
param retentionInDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionInDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    workspaceCapping: {
      // Bicep has whole numbers only.
      dailyQuotaGb: json('${dailyCapMb / 1000}.${padLeft(dailyCapMb % 1000, 3, '0')}')
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspace.id
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Resource id of the Application Insights component.')
output componentId string = component.id

@description('Where telemetry is sent; no secret, as local authentication is off.')
output connectionString string = component.properties.ConnectionString
