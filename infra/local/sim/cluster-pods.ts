import { randomUUID } from 'node:crypto';
import { fail } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { Pod, PodCondition } from '../../../shared/core/kubernetes/pod.ts';
import { buildPodStatusPatch } from '../../../shared/core/kubernetes/status-patch.ts';
import type { PodWrite } from '../../../shared/core/kubernetes/status-patch.ts';
import type { ObjectRef } from '../../../shared/ports/node-api.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { ensureAccount, ensureNamespace } from './api-server/bootstrap.ts';
import type { ClusterState } from './api-server/cluster-state.ts';
import { deleteObject } from './api-server/delete.ts';
import { instant, metaOf, numberAt, specOf, textAt, uidOf, withMeta } from './api-server/json-access.ts';
import { changed, notFound } from './api-server/status-error.ts';
import { pods } from './api-server/resources.ts';
import { mergePatch } from './api-server/strategic-merge.ts';
import { writeChanged } from './api-server/update.ts';
import { nodeUser } from './api-server/user.ts';
import { faultOf, resultOf } from './cluster-faults.ts';
import { defined } from '../../../shared/core/defined.ts';

/** A pod as somebody creates it; what is absent is filled in as the API server and the scheduler would. */
export interface PodManifest {
  readonly name: string;
  /** `default` unless given. */
  readonly namespace?: string;
  /** Where the scheduler binds it at once; absent: nowhere. */
  readonly nodeName?: string;
  readonly spec: JsonObject;
  readonly uid?: string;
  readonly labels?: JsonObject;
  readonly annotations?: JsonObject;
  readonly ownerReferences?: readonly JsonObject[];
  /** The object stays after its deletion until these are taken away. */
  readonly finalizers?: readonly string[];
}

export type PodChange = 'added' | 'modified' | 'deleted';

/** The pods of one cluster, as `v1.Pod` JSON behind the API server's rules of change and removal. */
export interface ClusterPods {
  /** Past admission: the spec is kept as it is reported, without defaults and without a volume for the ServiceAccount. */
  readonly create: (manifest: PodManifest) => Pod;
  readonly get: (ref: ObjectRef) => Pod | undefined;
  readonly list: () => readonly Pod[];
  /** As `NodeApi.patchPodStatus`. */
  readonly patchStatus: (nodeName: string, pod: Pod, status: PodWrite) => Result<Pod>;
  /** As `DELETE` by a user; a UID that is another's changes nothing. */
  readonly delete: (ref: ObjectRef, options: { readonly gracePeriodSeconds?: number; readonly uid?: string }) => void;
  /** Somebody else writes one condition. */
  readonly setCondition: (ref: ObjectRef, condition: PodCondition) => void;
  /** Somebody else writes into the spec, which gives a new generation. */
  readonly patchSpec: (ref: ObjectRef, patch: JsonObject) => void;
  readonly removeFinalizers: (ref: ObjectRef) => void;
  /** The object is gone at once, as when etcd was restored or a finished pod was collected. */
  readonly remove: (ref: ObjectRef) => void;
}

/** Each pod is parsed once, however often it is read. */
const parsed = new WeakMap<JsonObject, Pod>();

export function readPod(json: JsonObject): Pod {
  const known = parsed.get(json);
  if (known !== undefined) return known;
  const pod = parsePod(json);
  if (pod === undefined) throw new Error('the manifest is not that of a pod');
  parsed.set(json, pod);
  return pod;
}

export function createClusterPods(state: ClusterState): ClusterPods {
  const { store, now } = state;
  const find = (ref: ObjectRef): JsonObject | undefined => store.get(pods, ref);
  const modify = (ref: ObjectRef, patch: (pod: JsonObject) => JsonObject): void => {
    const found = find(ref);
    if (found !== undefined) store.put(pods, mergePatch(found, patch(found)));
  };
  const target = (ref: ObjectRef) => ({ user: undefined, resource: pods, subresource: '', ...ref });
  return {
    create: (manifest) => {
      const { namespace = 'default', name } = manifest;
      if (find({ namespace, name }) !== undefined) throw new Error(`pods "${namespace}/${name}" already exists`);
      const json = podJson(manifest, now());
      if (parsePod(json) === undefined) throw new Error('the manifest is not that of a pod');
      ensureNamespace(state, namespace);
      ensureAccount(state, namespace, textAt(specOf(json), 'serviceAccountName'));
      return readPod(store.put(pods, json));
    },
    get: (ref) => {
      const found = find(ref);
      return found === undefined ? undefined : readPod(found);
    },
    list: () => [...store.all(pods)].map(readPod),
    patchStatus: (nodeName, pod, status) => {
      const { name, namespace, uid, resourceVersion } = pod.metadata;
      const found = find({ namespace, name });
      // For a node, a pod of another is as absent as none.
      const isOwn = found !== undefined && uidOf(found) === uid && textAt(specOf(found), 'nodeName') === nodeName;
      if (!isOwn) return fail(faultOf(notFound({ kind: 'pods', name })));
      if (textAt(metaOf(found), 'resourceVersion') !== resourceVersion)
        return fail(faultOf(changed({ kind: 'pods', name })));
      const wanted = mergePatch(found, buildPodStatusPatch(pod, status));
      return resultOf(
        writeChanged(
          state,
          { user: nodeUser(nodeName), resource: pods, subresource: 'status', namespace, name },
          found,
          wanted,
        ),
        readPod,
      );
    },
    delete: (ref, options) => void deleteObject(state, target(ref), options),
    setCondition: (ref, condition) => modify(ref, () => ({ status: { conditions: [{ ...condition }] } })),
    patchSpec: (ref, patch) =>
      modify(ref, (pod) => ({ metadata: { generation: (numberAt(metaOf(pod), 'generation') ?? 0) + 1 }, spec: patch })),
    removeFinalizers: (ref) => {
      const found = find(ref);
      if (found === undefined) return;
      if (numberAt(metaOf(found), 'deletionGracePeriodSeconds') === 0) store.remove(pods, ref);
      else store.put(pods, withMeta(found, { finalizers: undefined }));
    },
    remove: (ref) => void store.remove(pods, ref),
  };
}

export const podChange = (type: 'ADDED' | 'MODIFIED' | 'DELETED'): PodChange => {
  switch (type) {
    case 'ADDED':
      return 'added';
    case 'MODIFIED':
      return 'modified';
    case 'DELETED':
      return 'deleted';
  }
};

function podJson(manifest: PodManifest, now: number): JsonObject {
  const { name, namespace = 'default', nodeName, spec, uid = randomUUID() } = manifest;
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: instant(now) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid,
      generation: 1,
      creationTimestamp: instant(now),
      ...defined({
        labels: manifest.labels,
        annotations: manifest.annotations,
        ownerReferences: manifest.ownerReferences,
        finalizers: manifest.finalizers,
      }),
    },
    spec: nodeName === undefined ? spec : { ...spec, nodeName },
    status: { phase: 'Pending', qosClass: 'BestEffort', conditions: nodeName === undefined ? [] : [scheduled] },
  };
}
