metadata description = 'Alerts over what the app says, with an action group when there is somebody to notify. The rules are data: alerts.json.'

import { tagsType } from 'types.bicep'

@description('Region of the alert rules.')
param location string

@description('Tags of all resources.')
param tags tagsType

@description('Resource id of the Application Insights component, named in each alert.')
param applicationInsightsId string

@description('Resource id of the Log Analytics workspace that the rules query.')
param workspaceId string

@description('Name of the function app: its cloud role, by which its telemetry is found.')
param functionAppName string

@description('Address that alerts are sent to; empty: nobody is notified, and the alerts are seen in the portal.')
param actionGroupEmail string = ''

@description('Where the page on operations is: each alert names its section there.')
param documentationUrl string = 'docs/operations.md'

var rules = loadJsonContent('../alerts.json')

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(actionGroupEmail)) {
  name: '${functionAppName}-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'aci-pods'
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: actionGroupEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${functionAppName}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${functionAppName}: ${rule.displayName}'
      description: '${rule.description} What to do: ${documentationUrl}#${rule.name}'
      severity: rule.severity
      enabled: true
      autoMitigate: true
      evaluationFrequency: rule.evaluationFrequency
      windowSize: rule.windowSize
      overrideQueryTimeRange: rule.?overrideQueryTimeRange
      // A table exists from its first record on: a new workspace has none yet.
      skipQueryValidation: true
      scopes: [
        workspaceId
      ]
      targetResourceTypes: [
        'Microsoft.OperationalInsights/workspaces'
      ]
      criteria: {
        allOf: [
          {
            query: replace(rule.query, '{app}', functionAppName)
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: rule.failingPeriods
          }
        ]
      }
      actions: {
        actionGroups: empty(actionGroupEmail) ? [] : [actionGroup.id]
        customProperties: {
          runbook: '${documentationUrl}#${rule.name}'
          applicationInsights: applicationInsightsId
        }
      }
    }
  }
]

@description('Names of the alert rules.')
output alertNames string[] = [for (rule, index) in rules: alerts[index].name]
