/**
 * A scheduler just good enough for a pod's life: a pod goes to the ready node with the fewest pods whose taints it
 * tolerates and whose labels its nodeSelector names. Resources, affinity between pods and spreading are not looked at; a pod
 * with a required node affinity is reported that nobody here knows one.
 */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import {
  instant,
  isDeleting,
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  objectsAt,
  specOf,
  statusOf,
  textAt,
} from './json-access.ts';
import { recordEvent } from './event-recorder.ts';
import { pods, nodes } from './resources.ts';
import { mergePatch } from './strategic-merge.ts';
import { bindPod } from './subresources.ts';
import { isTolerated } from './tolerations.ts';

const schedulerName = 'default-scheduler';
const unknownAffinity =
  'node(s) left out: the embedded cluster knows nodeSelector, and no required nodeAffinity (a real one does: npm start -- --cluster real)';

/** Binds every pod that can be bound, in the order of their creation; says of the others why not. */
export function schedule(state: ClusterState): void {
  const waiting = [...state.store.all(pods)].filter(isWaiting).toSorted(byAge);
  if (waiting.length === 0) return;
  const counts = new Map<string, number>();
  for (const pod of state.store.all(pods)) {
    const node = textAt(specOf(pod), 'nodeName');
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  for (const pod of waiting) {
    const all = [...state.store.all(nodes)].map((node) => ({ name: nameOf(node), why: misfit(pod, node) }));
    const fitting = all
      .filter(({ why }) => why === undefined)
      .toSorted((left, right) => (counts.get(left.name) ?? 0) - (counts.get(right.name) ?? 0));
    const [chosen] = fitting;
    if (chosen === undefined) {
      refusePlace(
        state,
        pod,
        all.map(({ why }) => why ?? ''),
      );
      continue;
    }
    counts.set(chosen.name, (counts.get(chosen.name) ?? 0) + 1);
    bind(state, pod, chosen.name);
  }
}

const isWaiting = (pod: JsonObject): boolean =>
  textAt(specOf(pod), 'nodeName') === '' &&
  (textAt(specOf(pod), 'schedulerName') || schedulerName) === schedulerName &&
  objectsAt(specOf(pod), 'schedulingGates').length === 0 &&
  !isDeleting(pod);

const byAge = (left: JsonObject, right: JsonObject): number => ageKey(left).localeCompare(ageKey(right));
const ageKey = (pod: JsonObject): string => textAt(objectAt(pod, 'metadata'), 'creationTimestamp');

/** Why the pod can't go there, in the scheduler's words; undefined when it can. */
function misfit(pod: JsonObject, node: JsonObject): string | undefined {
  const spec = specOf(node);
  const tolerations = objectsAt(specOf(pod), 'tolerations');
  if (spec['unschedulable'] === true) return 'node(s) were unschedulable';
  const taint = objectsAt(spec, 'taints').find(
    (one) => textAt(one, 'effect') !== 'PreferNoSchedule' && !isTolerated(one, tolerations),
  );
  if (taint !== undefined)
    return `node(s) had untolerated taint(s) {${textAt(taint, 'key')}: ${textAt(taint, 'value')}}`;
  const ready = objectsAt(statusOf(node), 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  if (textAt(ready ?? {}, 'status') !== 'True') return 'node(s) were not ready';
  const labels = labelsOf(node);
  const isSelected = Object.entries(objectAt(specOf(pod), 'nodeSelector')).every(
    ([key, value]) => labels[key] === value,
  );
  if (!isSelected) return "node(s) didn't match Pod's node affinity/selector";
  const affinity = objectAt(objectAt(specOf(pod), 'affinity'), 'nodeAffinity');
  return affinity['requiredDuringSchedulingIgnoredDuringExecution'] === undefined ? undefined : unknownAffinity;
}

function bind(state: ClusterState, pod: JsonObject, node: string): void {
  const [namespace, name] = [namespaceOf(pod), nameOf(pod)];
  const target = { user: undefined, resource: pods, subresource: 'binding', namespace, name };
  bindPod(state, target, { target: { kind: 'Node', name: node } });
  recordEvent(state, pod, {
    type: 'Normal',
    reason: 'Scheduled',
    message: `Successfully assigned ${namespace}/${name} to ${node}`,
    component: schedulerName,
  });
}

/** Said once, until the reasons change. */
function refusePlace(state: ClusterState, pod: JsonObject, reasons: readonly string[]): void {
  const counted = new Map<string, number>();
  for (const reason of reasons) counted.set(reason, (counted.get(reason) ?? 0) + 1);
  const parts = [...counted].map(([reason, count]) => `${count} ${reason}`);
  const total = reasons.length;
  const message =
    total === 0 ? 'no nodes available to schedule pods' : `0/${total} nodes are available: ${parts.join(', ')}.`;
  const before = objectsAt(statusOf(pod), 'conditions').find((one) => textAt(one, 'type') === 'PodScheduled');
  if (before !== undefined && textAt(before, 'message') === message) return;
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: before === undefined ? instant(state.now()) : textAt(before, 'lastTransitionTime'),
  };
  state.store.put(pods, mergePatch(pod, { status: { conditions: [condition] } }));
  recordEvent(state, pod, { type: 'Warning', reason: 'FailedScheduling', message, component: schedulerName });
}
