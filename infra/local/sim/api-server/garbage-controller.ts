/** PodGC, and the garbage collector for owners of the kinds that are kept here. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { deleteObject } from './delete.ts';
import { isDeleting, metaOf, nameOf, namespaceOf, objectsAt, specOf, statusOf, textAt, uidOf } from './json-access.ts';
import { findKind, nodes, pods, resources } from './resources.ts';
import { mergePatch } from './strategic-merge.ts';
import { disrupt } from './subresources.ts';

/** For so long a missing node may come back before its pods are taken away. */
const quarantineMs = 40_000;
const outOfService = 'node.kubernetes.io/out-of-service';

export class GarbageController {
  /** Since when a node that pods are bound to is missing, in ms. */
  readonly #missing = new Map<string, number>();

  tick(state: ClusterState): void {
    const present = new Map([...state.store.all(nodes)].map((node) => [nameOf(node), node]));
    for (const pod of state.store.all(pods)) this.#judge(state, pod, present);
    for (const name of this.#missing.keys()) if (present.has(name)) this.#missing.delete(name);
    collectOrphans(state);
  }

  #judge(state: ClusterState, pod: JsonObject, present: ReadonlyMap<string, JsonObject>): void {
    const name = textAt(specOf(pod), 'nodeName');
    if (name === '') {
      if (isDeleting(pod)) remove(state, pod);
      return;
    }
    const node = present.get(name);
    if (node !== undefined) {
      if (isDeleting(pod) && isOutOfService(node)) forceDelete(state, pod, 'PodGC: node is out-of-service');
      return;
    }
    const since = this.#missing.get(name) ?? state.now();
    this.#missing.set(name, since);
    if (state.now() - since >= quarantineMs) forceDelete(state, pod, 'PodGC: node no longer exists');
  }
}

function isOutOfService(node: JsonObject): boolean {
  const ready = objectsAt(statusOf(node), 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  return (
    textAt(ready ?? {}, 'status') !== 'True' &&
    objectsAt(specOf(node), 'taints').some((taint) => textAt(taint, 'key') === outOfService)
  );
}

/** Nobody will confirm its end: it has failed, and the object goes at once. */
function forceDelete(state: ClusterState, pod: JsonObject, message: string): void {
  const phase = textAt(statusOf(pod), 'phase');
  if (phase !== 'Succeeded' && phase !== 'Failed') {
    const told = disrupt(state, pod, 'DeletionByPodGC', message);
    state.store.put(pods, mergePatch(told, { status: { phase: 'Failed' } }));
  }
  remove(state, pod);
}

function remove(state: ClusterState, pod: JsonObject): void {
  const [namespace, name] = [namespaceOf(pod), nameOf(pod)];
  deleteObject(state, { user: undefined, resource: pods, subresource: '', namespace, name }, { gracePeriodSeconds: 0 });
}

/** Deletes what had owners and has none any more; an owner of a kind that is not kept here counts as present. */
function collectOrphans(state: ClusterState): void {
  for (const resource of resources)
    for (const object of state.store.all(resource)) {
      const owners = objectsAt(metaOf(object), 'ownerReferences');
      if (owners.length === 0 || isDeleting(object) || owners.some((owner) => isPresent(state, object, owner)))
        continue;
      const target = {
        user: undefined,
        resource,
        subresource: '',
        namespace: namespaceOf(object),
        name: nameOf(object),
      };
      deleteObject(state, target, {});
    }
}

function isPresent(state: ClusterState, object: JsonObject, owner: JsonObject): boolean {
  const resource = findKind(textAt(owner, 'apiVersion'), textAt(owner, 'kind'));
  if (resource?.storage !== 'object') return true;
  const namespace = resource.isNamespaced ? namespaceOf(object) : '';
  const found = state.store.get(resource, { namespace, name: textAt(owner, 'name') });
  return found !== undefined && uidOf(found) === textAt(owner, 'uid');
}
