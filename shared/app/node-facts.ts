import type { NodeFacts } from '../core/pod/translation.ts';
import type { ClusterRegistration, NodeRegistration, Settings } from '../wire/settings.ts';
import { defined } from '../core/defined.ts';

/** What the translation of a pod must know of the node that it is bound to. */
export const nodeFacts = (settings: Settings, cluster: ClusterRegistration, node: NodeRegistration): NodeFacts => ({
  installation: settings.INSTALLATION,
  cluster: cluster.uid,
  node: node.name,
  location: settings.AZURE_LOCATION,
  hostIP: node.address,
  allocatable: { cpu: node.cpu, memory: node.memory },
  securityPolicy: settings.SECURITY_POLICY,
  maxGroup: { cpu: settings.ACI_MAX_GROUP_CPU, memoryInGB: settings.ACI_MAX_GROUP_MEMORY_GB },
  ...defined({ zone: node.zone, subnetId: settings.ACI_SUBNET_ID }),
  ...(typeof cluster.apiServerForPods === 'object' ? { apiServer: cluster.apiServerForPods } : {}),
});
