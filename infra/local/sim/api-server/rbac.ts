import type { JsonObject } from '../../../../shared/core/json.ts';
import type { Attributes } from './attributes.ts';
import type { ClusterState } from './cluster-state.ts';
import { namespaceOf, objectAt, objectsAt, textAt, textsAt } from './json-access.ts';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './resources.ts';
import type { User } from './user.ts';

/** Whether a role that is bound to the user grants it. */
export function isGranted({ store }: ClusterState, user: User, attributes: Attributes): boolean {
  for (const binding of store.all(clusterRoleBindings))
    if (isBound(binding, user) && roleGrants({ store }, binding, attributes)) return true;
  if (attributes.namespace === '') return false;
  for (const binding of store.all(roleBindings))
    if (
      namespaceOf(binding) === attributes.namespace &&
      isBound(binding, user) &&
      roleGrants({ store }, binding, attributes)
    )
      return true;
  return false;
}

function isBound(binding: JsonObject, user: User): boolean {
  return objectsAt(binding, 'subjects').some((subject) => {
    const name = textAt(subject, 'name');
    switch (textAt(subject, 'kind')) {
      case 'User':
        return name === user.name;
      case 'Group':
        return user.groups.includes(name);
      case 'ServiceAccount':
        return user.name === `system:serviceaccount:${textAt(subject, 'namespace') || namespaceOf(binding)}:${name}`;
      default:
        return false;
    }
  });
}

function roleGrants({ store }: Pick<ClusterState, 'store'>, binding: JsonObject, attributes: Attributes): boolean {
  const reference = objectAt(binding, 'roleRef');
  const name = textAt(reference, 'name');
  const role =
    textAt(reference, 'kind') === 'ClusterRole'
      ? store.get(clusterRoles, { namespace: '', name })
      : store.get(roles, { namespace: namespaceOf(binding), name });
  return role !== undefined && objectsAt(role, 'rules').some((rule) => ruleGrants(rule, attributes));
}

function ruleGrants(rule: JsonObject, { verb, group, resource, subresource, name }: Attributes): boolean {
  const names = textsAt(rule, 'resourceNames');
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  const wanted = [whole, '*', ...(subresource === '' ? [] : [`*/${subresource}`])];
  return (
    includes(textsAt(rule, 'verbs'), [verb, '*']) &&
    includes(textsAt(rule, 'apiGroups'), [group, '*']) &&
    includes(textsAt(rule, 'resources'), wanted) &&
    (names.length === 0 || names.includes(name))
  );
}

const includes = (given: readonly string[], wanted: readonly string[]): boolean =>
  given.some((one) => wanted.includes(one));

const role = (name: string, rules: readonly JsonObject[]): JsonObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
  rules,
});

const binding = (name: string, subject: JsonObject): JsonObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [subject],
});

const group = (name: string): JsonObject => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });
const reviewRules = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];
/** The API server's own account at a kubelet's port. */
export const kubeletClientUser = 'kube-apiserver-kubelet-client';

/** Roles that are there from the start: those that somebody may refer to. */
export const bootstrapRoles: readonly JsonObject[] = [
  role('cluster-admin', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]),
  role('system:auth-delegator', reviewRules),
  role('system:basic-user', [
    {
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      verbs: ['create'],
    },
    { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  ]),
  role('system:kubelet-api-admin', [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'proxy'] },
    {
      apiGroups: [''],
      resources: ['nodes/proxy', 'nodes/log', 'nodes/metrics', 'nodes/stats', 'nodes/pods', 'nodes/healthz'],
      verbs: ['*'],
    },
  ]),
];

export const bootstrapBindings: readonly JsonObject[] = [
  binding('cluster-admin', group('system:masters')),
  binding('system:basic-user', group('system:authenticated')),
  binding('system:kubelet-api-admin', {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'User',
    name: kubeletClientUser,
  }),
];
