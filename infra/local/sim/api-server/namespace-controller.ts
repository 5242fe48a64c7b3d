import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { deleteObject } from './delete.ts';
import { instant, isDeleting, nameOf, namespaceOf } from './json-access.ts';
import { configMaps, namespaces, resources, serviceAccounts } from './resources.ts';

/** The ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`, where they are missing. */
export function furnishNamespace(state: ClusterState, namespace: string): void {
  const meta = (name: string): JsonObject => ({
    name,
    namespace,
    uid: randomUUID(),
    creationTimestamp: instant(state.now()),
  });
  if (state.store.get(serviceAccounts, { namespace, name: 'default' }) === undefined)
    state.store.put(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('default') });
  if (state.store.get(configMaps, { namespace, name: 'kube-root-ca.crt' }) === undefined)
    state.store.put(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('kube-root-ca.crt'),
      data: { 'ca.crt': state.caPem },
    });
}

/** Furnishes live namespaces, empties those that are being deleted, and removes the empty ones. */
export function tendNamespaces(state: ClusterState): void {
  for (const namespace of state.store.all(namespaces)) {
    const name = nameOf(namespace);
    if (!isDeleting(namespace)) furnishNamespace(state, name);
    else if (!isOccupied(state, name)) state.store.remove(namespaces, { namespace: '', name });
  }
}

/** Deletes what is in it as anybody would; true while something is left. */
function isOccupied(state: ClusterState, namespace: string): boolean {
  let isLeft = false;
  for (const resource of resources.filter(({ isNamespaced, storage }) => isNamespaced && storage === 'object'))
    for (const object of [...state.store.all(resource)].filter((one) => namespaceOf(one) === namespace)) {
      const target = { user: undefined, resource, subresource: '', namespace, name: nameOf(object) };
      const deleted = isDeleting(object) ? undefined : deleteObject(state, target, {});
      isLeft ||= deleted === undefined || (deleted.ok && !deleted.value.isGone);
    }
  return isLeft;
}
