/** What the cluster's DNS is in Kubernetes: its account and rights, and the Service that leads to it. Pure. */

/** Whom the API server takes CoreDNS for: the ServiceAccount, by a certificate, which does not expire within a day. */
export const dnsUser = {
  commonName: 'system:serviceaccount:kube-system:coredns',
  organizations: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
} as const;

const rbac = 'rbac.authorization.k8s.io';
const role = 'system:coredns';
const namespace = 'kube-system';
const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' };
const read = ['list', 'watch'];

/** 10.96.0.1 → 10.96.0.10, where clusters have their DNS. */
export function tenthServiceAddress(first: string): string {
  const [a, b, c, d = 0] = first.split('.').map(Number);
  return [a, b, c, d + 9].join('.');
}

/** All objects, in the order in which they have to be created. The Service has no selector: what it leads to is no pod. */
export function dnsObjects(options: {
  readonly serviceAddress: string;
  readonly gateway: string;
  readonly port: number;
}): readonly object[] {
  const { serviceAddress, gateway, port } = options;
  const ports = [
    { name: 'dns', protocol: 'UDP' },
    { name: 'dns-tcp', protocol: 'TCP' },
  ];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: role },
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: read },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: role },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace, labels },
      spec: { clusterIP: serviceAddress, ports: ports.map((p) => ({ ...p, port: 53, targetPort: port })) },
    },
    {
      // Kubernetes makes the EndpointSlice of it, as of all Endpoints without a selector.
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'kube-dns', namespace, labels },
      subsets: [{ addresses: [{ ip: gateway }], ports: ports.map((p) => ({ ...p, port })) }],
    },
  ];
}
