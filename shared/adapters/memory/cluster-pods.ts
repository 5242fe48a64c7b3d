import { randomUUID } from 'node:crypto';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { JsonObject } from '../../core/json.ts';
import { isTerminalPhase } from '../../core/kubernetes/pod.ts';
import type { Pod, PodCondition, PodStatus } from '../../core/kubernetes/pod.ts';
import { buildPodStatusPatch } from '../../core/kubernetes/status-patch.ts';
import type { ObjectRef } from '../../ports/node-api.ts';
import { parsePod } from '../../wire/pod.ts';
import { changed, forbidden, notFound } from './cluster-faults.ts';
import { mergePatch } from './cluster-merge.ts';

/** A pod as somebody creates it; what is absent is filled in as the API server and the scheduler would. */
export interface PodManifest {
  readonly name: string;
  /** `default` unless told. */
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
  readonly create: (manifest: PodManifest) => Pod;
  readonly get: (ref: ObjectRef) => Pod | undefined;
  readonly list: () => readonly Pod[];
  /** As `NodeApi.patchPodStatus`. */
  readonly patchStatus: (nodeName: string, pod: Pod, status: PodStatus) => Result<Pod>;
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

interface Stored {
  readonly json: JsonObject;
  readonly pod: Pod;
  readonly finalizers: readonly string[];
}

interface PodsOptions {
  readonly now: () => number;
  readonly nextVersion: () => string;
  /** Called after each change, with the pod as it is now (or last was). */
  readonly onChange: (change: PodChange, pod: Pod) => void;
}

export function createClusterPods({ now, nextVersion, onChange }: PodsOptions): ClusterPods {
  const pods = new Map<string, Stored>();

  /** Writes metadata and the rest under a new resourceVersion. */
  const store = (json: JsonObject, finalizers: readonly string[], change: PodChange): Pod => {
    const versioned = mergePatch(json, { metadata: { resourceVersion: nextVersion() } });
    const pod = parsePod(versioned);
    if (pod === undefined) throw new Error('the manifest is not that of a pod');
    pods.set(keyOf(pod.metadata), { json: versioned, pod, finalizers });
    onChange(change, pod);
    return pod;
  };
  const modify = (ref: ObjectRef, patch: JsonObject): Pod | undefined => {
    const found = pods.get(keyOf(ref));
    return found === undefined ? undefined : store(mergePatch(found.json, patch), found.finalizers, 'modified');
  };
  const remove = (ref: ObjectRef): void => {
    const found = pods.get(keyOf(ref));
    if (!pods.delete(keyOf(ref)) || found === undefined) return;
    onChange('deleted', found.pod);
  };
  const erase = (ref: ObjectRef, found: Stored): void => {
    if (found.finalizers.length === 0) remove(ref);
    else modify(ref, { metadata: { deletionTimestamp: instant(now()), deletionGracePeriodSeconds: 0 } });
  };

  return {
    create: (manifest) => {
      const key = keyOf({ namespace: manifest.namespace ?? 'default', name: manifest.name });
      if (pods.has(key)) throw new Error(`pods "${key}" already exists`);
      return store(podJson(manifest, now()), manifest.finalizers ?? [], 'added');
    },
    get: (ref) => pods.get(keyOf(ref))?.pod,
    list: () => [...pods.values()].map(({ pod }) => pod),
    patchStatus: (nodeName, pod, status) => {
      const { name, uid, resourceVersion } = pod.metadata;
      const found = pods.get(keyOf(pod.metadata));
      if (found === undefined || found.pod.metadata.uid !== uid) return fail(notFound('pods', name));
      if (found.pod.spec.nodeName !== nodeName)
        return fail(
          forbidden(`node "${nodeName}" can only update pod status for pods with spec.nodeName set to itself`),
        );
      if (found.pod.metadata.resourceVersion !== resourceVersion) return fail(changed('pods', name));
      const patched = mergePatch(found.json, { status: buildPodStatusPatch(pod, status)['status'] });
      // A patch that changes nothing gives no new version and no event.
      if (JSON.stringify(patched) === JSON.stringify(found.json)) return ok(found.pod);
      return ok(store(patched, found.finalizers, 'modified'));
    },
    delete: (ref, options) => {
      const found = pods.get(keyOf(ref));
      if (found === undefined || (options.uid !== undefined && options.uid !== found.pod.metadata.uid)) return;
      const graceSeconds = graceOf(found.pod, options.gracePeriodSeconds);
      const before = found.pod.metadata.deletionGracePeriodSeconds;
      if (graceSeconds === 0) erase(ref, found);
      else if (before === undefined || graceSeconds < before)
        modify(ref, { metadata: deletion(found.pod, graceSeconds, now()) });
    },
    setCondition: (ref, condition) => void modify(ref, { status: { conditions: [{ ...condition }] } }),
    patchSpec: (ref, patch) => {
      const generation = (pods.get(keyOf(ref))?.pod.metadata.generation ?? 0) + 1;
      modify(ref, { metadata: { generation }, spec: patch });
    },
    removeFinalizers: (ref) => {
      const found = pods.get(keyOf(ref));
      if (found === undefined) return;
      if (found.pod.metadata.deletionGracePeriodSeconds === 0) remove(ref);
      else store(found.json, [], 'modified');
    },
    remove,
  };
}

const keyOf = (ref: ObjectRef): string => `${ref.namespace}/${ref.name}`;

/** RFC 3339 in whole seconds, as the API server writes times. */
const instant = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** What is bound nowhere or has ended has nothing to wait for (pod strategy, `CheckGracefulDelete`). */
function graceOf(pod: Pod, asked: number | undefined): number {
  const isUnbound = pod.spec.nodeName === '';
  return isUnbound || isTerminalPhase(pod.status.phase) ? 0 : (asked ?? pod.spec.terminationGracePeriodSeconds);
}

/** The deadline; the first request also gives a new generation. */
const deletion = (pod: Pod, graceSeconds: number, now: number): JsonObject => ({
  deletionTimestamp: instant(now + graceSeconds * 1000),
  deletionGracePeriodSeconds: graceSeconds,
  ...(pod.metadata.deletionTimestamp === undefined ? { generation: pod.metadata.generation + 1 } : {}),
});

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
      ...(manifest.labels === undefined ? {} : { labels: manifest.labels }),
      ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
      ...(manifest.ownerReferences === undefined ? {} : { ownerReferences: manifest.ownerReferences }),
    },
    spec: nodeName === undefined ? spec : { ...spec, nodeName },
    status: { phase: 'Pending', qosClass: 'BestEffort', conditions: nodeName === undefined ? [] : [scheduled] },
  };
}
