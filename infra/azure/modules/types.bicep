metadata description = 'Types that the template and its modules share.'

@export()
@description('Tags of a resource: names and values.')
type tagsType = {
  @description('Value of the tag of that name.')
  *: string
}

@export()
@description('Settings of the app: names and values.')
type settingsType = {
  @description('Value of the setting of that name.')
  *: string
}

@export()
@description('Settings as an app has them, secrets among them: names and values.')
@secure()
type readSettingsType = {
  @description('Value of the setting of that name.')
  *: string
}

@export()
@description('Instances that wait for work, and are paid while they do.')
type alwaysReadyInstances = {
  @description('`http`, or `function:` and the name of a timer function.')
  name: string

  @description('How many.')
  @minValue(1)
  instanceCount: int
}
