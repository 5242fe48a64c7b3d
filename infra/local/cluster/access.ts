/** The rights that an installation has in a cluster, as Kubernetes objects. Pure; DESIGN rules 4, 11 and 13. */

/** Whom the rights are given to, and for which nodes. */
export interface AccessOptions {
  readonly namespace: string;
  readonly nodes: readonly string[];
  readonly appServiceAccount: string;
  readonly relayServiceAccount: string;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A Kubernetes object, as far as RBAC needs one. */
export interface AccessObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

/** Selects all that belongs to an installation's access. */
const accessLabel = 'app.kubernetes.io/managed-by';

const rbacGroup = 'rbac.authorization.k8s.io';
const leaseNamespace = 'kube-node-lease';

/**
 * What the app may do as itself. All else it does as one of its nodes, so that the Node authorizer and NodeRestriction
 * bound it to what that node's pods refer to.
 */
export function appRules(nodes: readonly string[]): Rule[] {
  const users = nodes.map((node) => `system:node:${node}`);
  return [
    { apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: users },
    { apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: ['system:nodes'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get'], resourceNames: ['kube-system'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'delete', 'patch'], resourceNames: nodes },
  ];
}

/**
 * What the relay may do. RBAC cannot limit a list by `spec.nodeName`, so it may list the pods of every node, though
 * it only asks for its own; pods hold no secret values. It may read no Secret and no ConfigMap, and write no pod.
 */
export function relayRules(nodes: readonly string[]): Rule[] {
  return [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'], resourceNames: nodes },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  ];
}

/** The third heart: the relay renews the Leases of its own nodes when the app does not. */
export function relayLeaseRules(nodes: readonly string[]): Rule[] {
  const verbs = ['get', 'update', 'patch'];
  return [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs, resourceNames: nodes }];
}

/** All objects, in the order in which they have to be created. An empty list of nodes would mean every node: refused. */
export function accessObjects(options: AccessOptions): AccessObject[] {
  const { namespace, nodes, appServiceAccount, relayServiceAccount } = options;
  if (nodes.length === 0) throw new Error('an installation needs at least one node');
  const labels = { [accessLabel]: namespace };
  const names = accessNames(namespace);
  const app = { kind: 'ServiceAccount', name: appServiceAccount, namespace };
  const relay = { kind: 'ServiceAccount', name: relayServiceAccount, namespace };
  const apiVersion = `${rbacGroup}/v1`;
  const clusterRole = (name: string, rules: Rule[]) => [
    { apiVersion, kind: 'ClusterRole', metadata: { name, labels }, rules },
  ];
  const clusterBinding = (name: string, subject: typeof app) => ({
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
    subjects: [subject],
  });
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: appServiceAccount, namespace, labels } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: relayServiceAccount, namespace, labels } },
    ...clusterRole(names.app, appRules(nodes)),
    clusterBinding(names.app, app),
    ...clusterRole(names.relay, relayRules(nodes)),
    clusterBinding(names.relay, relay),
    {
      apiVersion,
      kind: 'Role',
      metadata: { name: names.lease, namespace: leaseNamespace, labels },
      rules: relayLeaseRules(nodes),
    },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name: names.lease, namespace: leaseNamespace, labels },
      roleRef: { apiGroup: rbacGroup, kind: 'Role', name: names.lease },
      subjects: [relay],
    },
  ];
}

/** The names of the roles and their bindings: the namespace in them keeps two installations of one cluster apart. */
export function accessNames(namespace: string): { app: string; relay: string; lease: string } {
  return { app: `${namespace}-app`, relay: `${namespace}-relay`, lease: `${namespace}-relay-leases` };
}
