/** PodGC, and of the garbage collector what a node meets: its Lease goes with it. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { deleteObject } from './delete.ts';
import { isDeleting, metaOf, nameOf, namespaceOf, objectsAt, specOf, statusOf, textAt, uidOf } from './json-access.ts';
import { leases, nodes, pods } from './resources.ts';
import { mergePatch } from './strategic-merge.ts';
import { disrupt } from './subresources.ts';

/** For so long a missing node may come back before its pods are taken away. */
const quarantineMs = 40_000;

export class GarbageController {
  /** Since when a node that pods are bound to is missing, in ms. */
  readonly #missing = new Map<string, number>();

  tick(state: ClusterState): void {
    const present = new Set([...state.store.all(nodes)].map(nameOf));
    for (const pod of state.store.all(pods)) this.#judge(state, pod, present);
    for (const name of this.#missing.keys()) if (present.has(name)) this.#missing.delete(name);
    collectLeases(state);
  }

  #judge(state: ClusterState, pod: JsonObject, present: ReadonlySet<string>): void {
    const name = textAt(specOf(pod), 'nodeName');
    if (name === '') {
      if (isDeleting(pod)) remove(state, pod);
      return;
    }
    if (present.has(name)) return;
    const since = this.#missing.get(name) ?? state.now();
    this.#missing.set(name, since);
    if (state.now() - since >= quarantineMs) forceDelete(state, pod, 'PodGC: node no longer exists');
  }
}

/** Nobody will confirm its end: it has failed, and the object goes at once. */
function forceDelete(state: ClusterState, pod: JsonObject, message: string): void {
  const phase = textAt(statusOf(pod), 'phase');
  if (phase !== 'Succeeded' && phase !== 'Failed') {
    const reported = disrupt(state, pod, 'DeletionByPodGC', message);
    state.store.put(pods, mergePatch(reported, { status: { phase: 'Failed' } }));
  }
  remove(state, pod);
}

function remove(state: ClusterState, pod: JsonObject): void {
  const [namespace, name] = [namespaceOf(pod), nameOf(pod)];
  deleteObject(state, { user: undefined, resource: pods, subresource: '', namespace, name }, { gracePeriodSeconds: 0 });
}

/** A Lease whose Node is gone, or is another by now. */
function collectLeases(state: ClusterState): void {
  const uids = new Set([...state.store.all(nodes)].map(uidOf));
  for (const lease of state.store.all(leases)) {
    const owners = objectsAt(metaOf(lease), 'ownerReferences').filter((owner) => textAt(owner, 'kind') === 'Node');
    if (owners.length === 0 || owners.some((owner) => uids.has(textAt(owner, 'uid')))) continue;
    state.store.remove(leases, { namespace: namespaceOf(lease), name: nameOf(lease) });
  }
}
