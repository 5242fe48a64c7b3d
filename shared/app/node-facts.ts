import type { NodeFacts } from '../core/pod/translation.ts';
import { agentFacts } from '../wire/agent-facts.ts';
import type { AgentSurroundings } from '../wire/agent-facts.ts';
import type { ClusterRegistration, NodeRegistration, Settings } from '../wire/settings.ts';
import { defined } from '../core/defined.ts';
import { hostPort } from '../core/host-port.ts';
import { own } from '../core/pod/own.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the translation of a pod must know of the node that it is bound to. */
export const nodeFacts = (
  settings: Settings,
  {
    cluster,
    node,
    environment,
    agent,
  }: {
    readonly cluster: ClusterRegistration;
    readonly node: NodeRegistration;
    readonly environment: Environment;
    readonly agent: AgentSurroundings;
  },
): NodeFacts => ({
  installation: settings.INSTALLATION,
  cluster: cluster.uid,
  node: node.name,
  location: settings.AZURE_LOCATION,
  hostIP: node.address,
  allocatable: { cpu: node.cpu, memory: node.memory },
  securityPolicy: settings.SECURITY_POLICY,
  realtimeMetrics: settings.REALTIME_METRICS === 'on',
  maxGroup: { cpu: settings.ACI_MAX_GROUP_CPU, memoryInGB: settings.ACI_MAX_GROUP_MEMORY_GB },
  grants: cluster.grants ?? [],
  agent: agentFacts(settings, agent),
  pullIdentities: settings.REGISTRY_PULL_IDENTITIES,
  workspaces: workspacesOf(settings, environment),
  ...defined({ zone: node.zone, subnetId: settings.ACI_SUBNET_ID }),
  ...(typeof cluster.apiServerForPods === 'object' ? { apiServer: cluster.apiServerForPods } : {}),
  ...defined({ dns: cluster.dns, services: servicesOf(cluster) }),
});

/** The extension reaches the API server as pods do. */
function servicesOf(cluster: ClusterRegistration): NodeFacts['services'] {
  const { services, apiServerForPods, relay } = cluster;
  const [namespace = ''] = relay.serviceAccount.split(':');
  return (
    services && {
      clusterCidr: services.clusterCidr,
      server:
        typeof apiServerForPods === 'object'
          ? `https://${hostPort(apiServerForPods.host, apiServerForPods.port)}`
          : cluster.server,
      secret: { namespace, name: services.credential },
    }
  );
}

/** With their keys. One that is not there, or a reference that Key Vault has not answered, is none. */
const workspacesOf = (settings: Settings, environment: Environment): NonNullable<NodeFacts['workspaces']> =>
  Object.fromEntries(
    Object.entries(settings.LOG_ANALYTICS_WORKSPACES).map(([name, { keySetting, ...workspace }]) => [
      name,
      { ...workspace, ...defined({ workspaceKey: keyOf(own(environment, keySetting)) }) },
    ]),
  );

const keyOf = (value: string | undefined): string | undefined =>
  value === undefined || value === '' || value.startsWith('@Microsoft.KeyVault(') ? undefined : value;
