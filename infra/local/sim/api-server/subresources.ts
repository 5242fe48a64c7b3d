/** `pods/binding`, and what a pod's status says of its coming end. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Target } from './create.ts';
import { instant, metaOf, objectAt, specOf, statusOf, textAt, uidOf } from './json-access.ts';
import { topologyOf } from './pod-admission.ts';
import { conflict, done, invalid, notFound, refuse } from './status-error.ts';
import type { StatusResult } from './status-error.ts';
import { pods } from './resources.ts';
import { mergePatch } from './strategic-merge.ts';
import { required } from './validation.ts';

const success: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** As the scheduler's POST of a Binding: the pod belongs to the node from now on, and for ever. */
export function bindPod(state: ClusterState, { namespace, name }: Target, body: JsonObject): StatusResult<JsonObject> {
  const pod = state.store.get(pods, { namespace, name });
  if (pod === undefined) return refuse(notFound({ kind: 'pods', name }));
  const node = textAt(objectAt(body, 'target'), 'name');
  if (node === '') return refuse(invalid('Binding', name, [required('target.name')]));
  const uid = textAt(metaOf(body), 'uid');
  const bound = textAt(specOf(pod), 'nodeName');
  if (bound !== '' || (uid !== '' && uid !== uidOf(pod)))
    return refuse(conflict({ kind: 'pods/binding', name }, `pod ${name} is already assigned to node "${bound}"`));
  const at = instant(state.now());
  state.store.put(
    pods,
    mergePatch(pod, {
      metadata: { labels: topologyOf(state, node) },
      spec: { nodeName: node },
      status: {
        conditions: [{ type: 'PodScheduled', status: 'True', reason: null, message: null, lastTransitionTime: at }],
      },
    }),
  );
  return done(success);
}

/** Says in the pod's status why it is going to end, as controllers do before they delete it. */
export function disrupt(state: ClusterState, pod: JsonObject, reason: string, message: string): JsonObject {
  const phase = textAt(statusOf(pod), 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') return pod;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime: instant(state.now()),
  };
  return state.store.put(pods, mergePatch(pod, { status: { conditions: [condition] } }));
}
