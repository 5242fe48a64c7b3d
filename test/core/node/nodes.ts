import type { KubeNode } from '../../../shared/core/kubernetes/node.ts';
import type { NodeSpec } from '../../../shared/core/node/node-spec.ts';
import { nodeTemplate } from '../../../shared/core/node/node-status.ts';

export const spec: NodeSpec = {
  name: 'aci-westeurope-1',
  cluster: '11111111-2222-3333-4444-555555555555',
  installation: 'app-1',
  region: 'westeurope',
  zone: '1',
  address: '10.0.0.9',
  kubeletPort: 10251,
  capacity: { cpu: '100', memory: '400Gi', pods: 100 },
  taint: true,
  kubeletVersion: 'v1.36.3-aci.0.1.0',
  labels: { team: 'a', type: 'mine' },
};
export const now = Date.parse('2026-11-23T05:00:00.900Z');

/** The Node as the spec has it, but for `changes`. */
export const nodeOf = (
  changes: {
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
    taints?: KubeNode['taints'];
    unschedulable?: boolean;
  } = {},
): KubeNode => {
  const template = nodeTemplate(spec, now);
  return {
    metadata: {
      name: template.name,
      uid: 'n',
      resourceVersion: '1',
      labels: changes.labels ?? template.labels,
      annotations: changes.annotations ?? template.annotations,
    },
    unschedulable: changes.unschedulable ?? false,
    taints: changes.taints ?? template.taints,
    status: template.status,
  };
};
