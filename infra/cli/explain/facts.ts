import { defined } from '../../../shared/core/defined.ts';
import type { NodeFacts } from '../../../shared/core/pod/translation.ts';
import { agentFacts } from '../../../shared/wire/agent-facts.ts';
import type { Settings } from '../../../shared/wire/settings.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';

export const factOptions: OptionSpecs = {
  'no-subnet': { type: 'boolean', description: 'the node has no subnet (the setting ACI_SUBNET_ID)' },
  'no-agent': { type: 'boolean', description: 'there is no agent: kubectl aci agent publish was not called' },
  strict: { type: 'boolean', description: 'as with the setting SECURITY_POLICY=strict' },
  'max-cpu': { type: 'string', value: 'N', description: 'cores of the largest group (default 31)' },
  'max-memory-gb': { type: 'string', value: 'N', description: 'gigabytes of the largest group (default 240)' },
};

/** Settings of the app that the options name; undefined: they name none. */
export type NamedApp = () => Promise<Settings | undefined>;

/** The node that is assumed: by options, else by the app's settings where one is named, else by the settings' defaults. */
export async function assumedFacts(options: ParsedOptions, namedApp: NamedApp): Promise<NodeFacts> {
  const maxCpu = parseCount(options, 'max-cpu');
  const maxMemoryInGB = parseCount(options, 'max-memory-gb');
  const settings = await namedApp();
  const { subnetId, agent, ...node } = settings === undefined ? unknownNode : ofSettings(settings);
  return {
    ...node,
    ...(subnetId !== undefined && !options.flag('no-subnet') && { subnetId }),
    ...(agent !== undefined && !options.flag('no-agent') && { agent }),
    ...(options.flag('strict') && { securityPolicy: 'strict' }),
    maxGroup: { cpu: maxCpu ?? node.maxGroup.cpu, memoryInGB: maxMemoryInGB ?? node.maxGroup.memoryInGB },
  };
}

const placeholderSubnet =
  '/subscriptions/<subscription>/resourceGroups/<resource group>/providers/Microsoft.Network/virtualNetworks/<network>/subnets/<subnet>';

/** What no manifest reports is shown as what it would be. */
const unknownNode: NodeFacts = {
  installation: '<installation>',
  cluster: '<cluster>',
  node: '<node>',
  location: '<region>',
  subnetId: placeholderSubnet,
  hostIP: '<address of the node>',
  allocatable: { cpu: '100', memory: '400Gi' },
  apiServer: { host: '<API server>', port: 443 },
  securityPolicy: 'compatible',
  realtimeMetrics: true,
  maxGroup: { cpu: 31, memoryInGB: 240 },
  grants: 'assumed',
  agent: { mode: 'auto', image: '<registry>/<image of the agent>@<digest>' },
};

/** Of an app without a setting for it the node has no subnet. */
const { subnetId: _, ...placelessNode } = unknownNode;

const ofSettings = (settings: Settings): NodeFacts => ({
  ...placelessNode,
  installation: settings.INSTALLATION,
  location: settings.AZURE_LOCATION,
  ...defined({ subnetId: settings.ACI_SUBNET_ID }),
  securityPolicy: settings.SECURITY_POLICY,
  realtimeMetrics: settings.REALTIME_METRICS === 'on',
  // What no setting says is taken to be as it is where the app was deployed with the agent.
  agent: agentFacts(settings, {
    appUrl: settings.APP_URL ?? 'https://<address of the app>',
    packaged: '<hash of the agent>',
  }),
  pullIdentities: settings.REGISTRY_PULL_IDENTITIES,
  workspaces: Object.fromEntries(
    Object.entries(settings.LOG_ANALYTICS_WORKSPACES).map(([name, { keySetting, ...workspace }]) => [
      name,
      { ...workspace, workspaceKey: `<setting ${keySetting}>` },
    ]),
  ),
  maxGroup: { cpu: settings.ACI_MAX_GROUP_CPU, memoryInGB: settings.ACI_MAX_GROUP_MEMORY_GB },
});

function parseCount(options: ParsedOptions, name: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw wrongInput(`--${name} wants a number, not "${text}"`, 'write it as 4');
}
