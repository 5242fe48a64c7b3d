/** The kinds that the embedded cluster serves. */

export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in paths. */
  readonly plural: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly isNamespaced: boolean;
  /** Whether `status` is written by its own subresource, and by nothing else. */
  readonly hasStatus: boolean;
  /** Subresources besides `status`. */
  readonly subresources: readonly string[];
  /** `object`: stored; `review`: answered at once (create only); `absent`: needs a controller that is not here. */
  readonly storage: 'object' | 'review' | 'absent';
}

type Extra = Partial<Pick<Resource, 'shortNames' | 'hasStatus' | 'subresources' | 'isNamespaced' | 'storage'>>;

const resource = (group: string, plural: string, kind: string, extra: Extra = {}): Resource => ({
  group,
  version: group === 'autoscaling' ? 'v2' : 'v1',
  plural,
  kind,
  shortNames: [],
  isNamespaced: true,
  hasStatus: false,
  subresources: [],
  storage: 'object',
  ...extra,
});

const cluster = { isNamespaced: false };
const review: Extra = { isNamespaced: false, storage: 'review' };
const controlled = (...shortNames: readonly string[]): Extra => ({ shortNames, storage: 'absent', hasStatus: true });
const rbac = 'rbac.authorization.k8s.io';

export const namespaces = resource('', 'namespaces', 'Namespace', {
  ...cluster,
  hasStatus: true,
  shortNames: ['ns'],
  subresources: ['finalize'],
});
export const nodes = resource('', 'nodes', 'Node', {
  ...cluster,
  hasStatus: true,
  shortNames: ['no'],
  subresources: ['proxy'],
});
export const pods = resource('', 'pods', 'Pod', {
  hasStatus: true,
  shortNames: ['po'],
  subresources: ['log', 'binding', 'eviction', 'exec', 'attach', 'portforward'],
});
export const events = resource('', 'events', 'Event', { shortNames: ['ev'] });
export const configMaps = resource('', 'configmaps', 'ConfigMap', { shortNames: ['cm'] });
export const secrets = resource('', 'secrets', 'Secret');
export const services = resource('', 'services', 'Service', { hasStatus: true, shortNames: ['svc'] });
export const serviceAccounts = resource('', 'serviceaccounts', 'ServiceAccount', {
  shortNames: ['sa'],
  subresources: ['token'],
});
export const leases = resource('coordination.k8s.io', 'leases', 'Lease');
export const clusterRoles = resource(rbac, 'clusterroles', 'ClusterRole', cluster);
export const clusterRoleBindings = resource(rbac, 'clusterrolebindings', 'ClusterRoleBinding', cluster);
export const roles = resource(rbac, 'roles', 'Role');
export const roleBindings = resource(rbac, 'rolebindings', 'RoleBinding');
export const priorityClasses = resource('scheduling.k8s.io', 'priorityclasses', 'PriorityClass', {
  ...cluster,
  shortNames: ['pc'],
});
export const tokenReviews = resource('authentication.k8s.io', 'tokenreviews', 'TokenReview', review);
export const selfSubjectReviews = resource('authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview', review);
export const accessReviews = resource('authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview', review);
export const selfAccessReviews = resource(
  'authorization.k8s.io',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
  review,
);

/** In the order of discovery. */
export const resources: readonly Resource[] = [
  namespaces,
  nodes,
  pods,
  events,
  configMaps,
  secrets,
  services,
  serviceAccounts,
  leases,
  clusterRoles,
  clusterRoleBindings,
  roles,
  roleBindings,
  priorityClasses,
  tokenReviews,
  selfSubjectReviews,
  accessReviews,
  selfAccessReviews,
  resource('apps', 'deployments', 'Deployment', controlled('deploy')),
  resource('apps', 'replicasets', 'ReplicaSet', controlled('rs')),
  resource('apps', 'statefulsets', 'StatefulSet', controlled('sts')),
  resource('apps', 'daemonsets', 'DaemonSet', controlled('ds')),
  resource('batch', 'jobs', 'Job', controlled()),
  resource('batch', 'cronjobs', 'CronJob', controlled('cj')),
  resource('autoscaling', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', controlled('hpa')),
];

const byPath = new Map(resources.map((one) => [`${one.group}/${one.version}/${one.plural}`, one]));

export const findResource = (group: string, version: string, plural: string): Resource | undefined =>
  byPath.get(`${group}/${version}/${plural}`);

/** By the kind that an owner reference or a manifest names. */
export const findKind = (apiVersion: string, kind: string): Resource | undefined =>
  resources.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);

export const apiVersionOf = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;

/** `pods`, `leases.coordination.k8s.io`: as messages call it. */
export const qualifiedName = ({ group, plural }: Pick<Resource, 'group' | 'plural'>): string =>
  group === '' ? plural : `${plural}.${group}`;
