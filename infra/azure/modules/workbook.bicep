metadata description = 'The workbook: pods, latency, budgets, cost, faults, and one pod from its event to ARM. Its content is data: workbook.json.'

import { tagsType } from 'types.bicep'

@description('Region of the workbook.')
param location string

@description('Tags of the workbook.')
param tags tagsType

@description('Resource id of the Application Insights component, in whose gallery the workbook is found.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace that its queries read.')
param workspaceId string

@description('Name of the function app: its cloud role, by which its telemetry is found.')
param functionAppName string

var content = replace(loadTextContent('../workbook.json'), '%WORKSPACE_ID%', workspaceId)

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, functionAppName, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: '${functionAppName}: pods on ACI'
    category: 'workbook'
    sourceId: applicationInsightsId
    serializedData: replace(content, '%APP%', functionAppName)
    version: '1.0'
  }
}

@description('Resource id of the workbook.')
output workbookId string = workbook.id
