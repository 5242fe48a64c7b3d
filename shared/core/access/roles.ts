import { leaseNamespace } from '../kubernetes/node.ts';

/** One rule of a Role or ClusterRole (`rbac.authorization.k8s.io/v1`, PolicyRule). */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Absent: every object of these resources. */
  readonly resourceNames?: readonly string[];
}

/** Which of an installation's programs a role is for; each has a ServiceAccount of its own. */
export type Program = 'app' | 'relay' | 'drain' | 'services';

/** A role and the program that it is bound to. */
export interface InstallationRole {
  readonly program: Program;
  readonly name: string;
  /** Absent: a ClusterRole. */
  readonly namespace?: string;
  readonly rules: readonly PolicyRule[];
}

/** Where an installation is in a cluster, and which nodes it shows there. */
export interface InstallationPlace {
  readonly namespace: string;
  readonly nodes: readonly string[];
  /** Whether its pods reach ClusterIPs, by an account of their own; absent: they don't. */
  readonly services?: boolean;
}

/**
 * The Secrets, one at a time but while the token is rotated, that hold the token of the ServiceAccount `services`
 * (type kubernetes.io/service-account-token: it lives until its Secret is deleted).
 */
export const servicesSecrets = ['services-a', 'services-b'] as const;

export type ServicesSecret = (typeof servicesSecrets)[number];

/**
 * All rights that an installation has in a cluster: what the chart renders, what the laptop cloud applies and what
 * `doctor` asks for. Throws without a node: an empty list of names would mean every node.
 */
export function installationRoles({
  namespace,
  nodes,
  services = false,
}: InstallationPlace): readonly InstallationRole[] {
  if (nodes.length === 0) throw new Error('an installation needs at least one node');
  const app = appRoleName(namespace);
  const inLeases = { namespace: leaseNamespace };
  return [
    { program: 'app', name: app, rules: appRules(nodes) },
    { program: 'relay', name: `${namespace}-relay`, rules: relayRules(nodes) },
    { program: 'relay', name: `${namespace}-relay-leases`, ...inLeases, rules: leaseRules(nodes) },
    { program: 'relay', name: 'relay-leader', namespace, rules: leaseRules(['relay']) },
    { program: 'drain', name: `${namespace}-drain`, rules: drainRules(nodes, app) },
    { program: 'drain', name: `${namespace}-drain`, ...inLeases, rules: drainLeaseRules(nodes) },
    ...(services ? servicesRoles(namespace) : []),
  ];
}

const servicesRoles = (namespace: string): readonly InstallationRole[] => [
  { program: 'services', name: `${namespace}-services`, rules: servicesRules },
  { program: 'app', name: 'services-credential', namespace, rules: servicesCredentialRules },
];

/** What ACI's kube-proxy reads. Its token is in every group, so whoever breaks out of a container has these rights. */
export const servicesRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['services', 'endpoints', 'nodes'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
];

/** The app hands that token to ACI. */
export const servicesCredentialRules: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: servicesSecrets },
];

/** The app's ClusterRole, and its binding; the namespace in it keeps two installations of one cluster apart. */
export const appRoleName = (namespace: string): string => `${namespace}-app`;

/**
 * What the app may do as itself. All else it does as one of its nodes, so that the Node authorizer and NodeRestriction
 * bound it to what that node's pods refer to
 * (https://kubernetes.io/docs/reference/access-authn-authz/node/, https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction).
 */
export function appRules(nodes: readonly string[]): readonly PolicyRule[] {
  const users = nodes.map((node) => `system:node:${node}`);
  return [
    { apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: users },
    { apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: ['system:nodes'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get'], resourceNames: ['kube-system'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'delete', 'patch'], resourceNames: nodes },
  ];
}

/**
 * RBAC cannot limit a list by `spec.nodeName`, so the relay may list the pods of every node, though it only asks for its
 * own; pods hold no secret values. It may read no Secret and no ConfigMap, and write no pod.
 */
const relayRules = (nodes: readonly string[]): readonly PolicyRule[] => [
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'], resourceNames: nodes },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

/** Leases that are held by renewing them: of the nodes, when the app does not, and the one by which replicas elect a leader. */
const leaseRules = (names: readonly string[]): readonly PolicyRule[] => [
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['get', 'update', 'patch'],
    resourceNames: names,
  },
];

/** Before an uninstall: pods are evicted, then Nodes deleted, the app's own rights first, so that it makes none anew. */
const drainRules = (nodes: readonly string[], appRole: string): readonly PolicyRule[] => [
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'delete'] },
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch', 'delete'], resourceNames: nodes },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['clusterrolebindings'],
    verbs: ['delete'],
    resourceNames: [appRole],
  },
];

const drainLeaseRules = (nodes: readonly string[]): readonly PolicyRule[] => [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['delete'], resourceNames: nodes },
];
