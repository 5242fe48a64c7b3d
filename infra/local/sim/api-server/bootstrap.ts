import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { createObject } from './create.ts';
import { instant } from './json-access.ts';
import { furnishNamespace } from './namespace-controller.ts';
import { bootstrapBindings, bootstrapRoles } from './rbac.ts';
import { clusterRoleBindings, clusterRoles, namespaces, serviceAccounts, services } from './resources.ts';
import type { Resource } from './resources.ts';

/** What every new cluster has: its namespaces with their ServiceAccount and CA, `kube-system` with the cluster's UID. */
export function bootstrapNamespaces(state: ClusterState, uid: string): void {
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    ensureNamespace(state, name, name === 'kube-system' ? uid : randomUUID());
}

/** The namespace, if it was missing; what every namespace has is in it at once. */
export function ensureNamespace(state: ClusterState, name: string, uid: string = randomUUID()): void {
  if (state.store.get(namespaces, { namespace: '', name }) !== undefined) return;
  state.store.put(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      uid,
      creationTimestamp: instant(state.now()),
      labels: { 'kubernetes.io/metadata.name': name },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  furnishNamespace(state, name);
}

/** What an API server makes for its own clients: roles, and the Service `kubernetes`. */
export function bootstrapAccess(state: ClusterState): void {
  for (const role of bootstrapRoles) create(state, clusterRoles, role);
  for (const binding of bootstrapBindings) create(state, clusterRoleBindings, binding);
  create(state, services, {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ports: [{ name: 'https', port: 443, targetPort: 6443 }],
    },
  });
}

function create(state: ClusterState, resource: Resource, object: JsonObject): void {
  const namespace = resource.isNamespaced ? 'default' : '';
  const made = createObject(state, { user: undefined, resource, subresource: '', namespace, name: '' }, object);
  if (!made.ok) throw new Error(made.refusal.message);
}

/** The ServiceAccount, if it was missing. */
export function ensureAccount(state: ClusterState, namespace: string, name: string): void {
  if (name === '' || state.store.get(serviceAccounts, { namespace, name }) !== undefined) return;
  state.store.put(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace, uid: randomUUID(), creationTimestamp: instant(state.now()) },
  });
}
