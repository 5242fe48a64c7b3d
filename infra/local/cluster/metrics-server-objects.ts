/** What metrics-server is in Kubernetes: its account and rights, and the API that it serves. Pure. */

const rbac = 'rbac.authorization.k8s.io';
const namespace = 'kube-system';

export const metricsAccount = { name: 'metrics-server', namespace } as const;

const account = { kind: 'ServiceAccount', ...metricsAccount };
const labels = { 'k8s-app': 'metrics-server' };

const role = (kind: 'Role' | 'ClusterRole', name: string): object => ({ apiGroup: rbac, kind, name });

/**
 * All objects, as its own manifests have them (sigs.k8s.io/metrics-server, manifests/base), but that the Service leads to
 * a port of this machine: it is no pod.
 */
export const metricsServerObjects = (port: number): readonly object[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metricsAccount, labels } },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'system:metrics-server', labels },
    rules: [
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:metrics-server', labels },
    roleRef: role('ClusterRole', 'system:metrics-server'),
    subjects: [account],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'metrics-server:system:auth-delegator', labels },
    roleRef: role('ClusterRole', 'system:auth-delegator'),
    subjects: [account],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'metrics-server-auth-reader', namespace, labels },
    roleRef: role('Role', 'extension-apiserver-authentication-reader'),
    subjects: [account],
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metricsAccount, labels },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1beta1.metrics.k8s.io', labels },
    spec: {
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      service: { ...metricsAccount, port },
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  },
];
