/**
 * The node lifecycle controller and the taint eviction controller, as a pod meets them. Unlike the real ones they know no
 * zones and no limit of rate: a cluster of one node evicts too.
 */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { deleteObject } from './delete.ts';
import { recordEvent } from './event-recorder.ts';
import {
  instant,
  isDeleting,
  isSame,
  metaOf,
  nameOf,
  namespaceOf,
  objectsAt,
  specOf,
  statusOf,
  textAt,
  uidOf,
} from './json-access.ts';
import { leases, nodes, pods } from './resources.ts';
import { mergePatch } from './strategic-merge.ts';
import { disrupt } from './subresources.ts';
import { toleratedSeconds } from './tolerations.ts';

/** `--node-monitor-grace-period`. */
const graceMs = 50_000;
/** `--node-startup-grace-period`, of a node that never reported. */
const startupGraceMs = 60_000;
const component = 'node-controller';

/** What was last seen of a node's heartbeats. */
interface Probe {
  readonly uid: string;
  readonly heartbeat: string;
  readonly at: number;
}

export class NodeController {
  readonly #probes = new Map<string, Probe>();

  /** Judges every node by its heartbeats, then evicts what no longer tolerates its node. */
  tick(state: ClusterState): void {
    const present = new Set<string>();
    for (const node of state.store.all(nodes)) {
      present.add(nameOf(node));
      this.#judge(state, node);
    }
    for (const name of this.#probes.keys()) if (!present.has(name)) this.#probes.delete(name);
    evict(state);
  }

  #judge(state: ClusterState, node: JsonObject): void {
    const name = nameOf(node);
    const heartbeat = heartbeatOf(state, node);
    const before = this.#probes.get(name);
    const isNews = before === undefined || before.uid !== uidOf(node) || before.heartbeat !== heartbeat;
    const probe = isNews ? { uid: uidOf(node), heartbeat, at: state.now() } : before;
    this.#probes.set(name, probe);
    const hasReported = readyOf(node) !== undefined;
    const isStale = state.now() - probe.at > (hasReported ? graceMs : startupGraceMs);
    const judged = isStale ? declareUnknown(state, node, hasReported) : node;
    if (isTrue(readyOf(node)) && !isTrue(readyOf(judged))) markPodsNotReady(state, judged);
    taint(state, judged);
  }
}

const readyOf = (node: JsonObject): JsonObject | undefined =>
  objectsAt(statusOf(node), 'conditions').find((one) => textAt(one, 'type') === 'Ready');
const isTrue = (condition: JsonObject | undefined): boolean => textAt(condition ?? {}, 'status') === 'True';

/** The Lease's renewTime and the Ready condition's heartbeat; a change of either is a sign of life. */
function heartbeatOf(state: ClusterState, node: JsonObject): string {
  const lease = state.store.get(leases, { namespace: 'kube-node-lease', name: nameOf(node) });
  const ready = readyOf(node);
  const own =
    ready === undefined || textAt(ready, 'reason') === 'NodeStatusUnknown' ? '' : textAt(ready, 'lastHeartbeatTime');
  return `${lease === undefined ? '' : textAt(specOf(lease), 'renewTime')} ${own}`;
}

function declareUnknown(state: ClusterState, node: JsonObject, hasReported: boolean): JsonObject {
  const conditions = objectsAt(statusOf(node), 'conditions');
  const at = instant(state.now());
  const wanted = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'].flatMap((type): readonly JsonObject[] => {
    const before = conditions.find((one) => textAt(one, 'type') === type);
    if (before !== undefined && textAt(before, 'status') === 'Unknown') return [];
    return [
      {
        type,
        status: 'Unknown',
        reason: hasReported ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
        message: hasReported ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
        lastTransitionTime: at,
        ...(before === undefined ? { lastHeartbeatTime: textAt(metaOf(node), 'creationTimestamp') } : {}),
      },
    ];
  });
  if (wanted.length === 0) return node;
  recordEvent(state, node, {
    type: 'Normal',
    reason: 'NodeNotReady',
    message: `Node ${nameOf(node)} status is now: NodeNotReady`,
    component,
  });
  return state.store.put(nodes, mergePatch(node, { status: { conditions: wanted } }));
}

/** Services drop them; nobody but the kubelet makes them ready again. */
function markPodsNotReady(state: ClusterState, node: JsonObject): void {
  for (const pod of podsOn(state, nameOf(node))) {
    const ready = objectsAt(statusOf(pod), 'conditions').find((one) => textAt(one, 'type') === 'Ready');
    if (!isTrue(ready)) continue;
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: instant(state.now()) };
    state.store.put(pods, mergePatch(pod, { status: { conditions: [condition] } }));
    recordEvent(state, pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready', component });
  }
}

const ownTaints = new Set([
  'node.kubernetes.io/not-ready NoSchedule',
  'node.kubernetes.io/not-ready NoExecute',
  'node.kubernetes.io/unreachable NoSchedule',
  'node.kubernetes.io/unreachable NoExecute',
  'node.kubernetes.io/unschedulable NoSchedule',
]);
const taintKey = (taint: JsonObject): string => `${textAt(taint, 'key')} ${textAt(taint, 'effect')}`;

/** The taints that follow from the node's state; others' stay. */
function taint(state: ClusterState, node: JsonObject): void {
  const present = objectsAt(specOf(node), 'taints');
  const ready = textAt(readyOf(node) ?? {}, 'status');
  const key = ready === 'Unknown' ? 'node.kubernetes.io/unreachable' : 'node.kubernetes.io/not-ready';
  const wanted: JsonObject[] = [];
  if (specOf(node)['unschedulable'] === true)
    wanted.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  if (ready !== 'True')
    wanted.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute', timeAdded: instant(state.now()) });
  const kept = wanted.map((one) => present.find((other) => taintKey(other) === taintKey(one)) ?? one);
  const taints = [...present.filter((one) => !ownTaints.has(taintKey(one))), ...kept];
  if (isSame(sortedTaints(present), sortedTaints(taints))) return;
  state.store.put(nodes, { ...node, spec: { ...specOf(node), taints } });
}

const sortedTaints = (taints: readonly JsonObject[]): readonly JsonObject[] =>
  taints.toSorted((left, right) => taintKey(left).localeCompare(taintKey(right)));

/** Deletes, as a user would, each pod that has borne a NoExecute taint for as long as it tolerates it. */
function evict(state: ClusterState): void {
  for (const node of state.store.all(nodes)) {
    const taints = objectsAt(specOf(node), 'taints').filter((one) => textAt(one, 'effect') === 'NoExecute');
    if (taints.length === 0) continue;
    for (const pod of podsOn(state, nameOf(node)))
      if (!isDeleting(pod) && isDue(state, pod, taints)) evictOne(state, pod);
  }
}

function isDue(state: ClusterState, pod: JsonObject, taints: readonly JsonObject[]): boolean {
  const tolerations = objectsAt(specOf(pod), 'tolerations');
  return taints.some((one) => {
    const since = Date.parse(textAt(one, 'timeAdded')) || state.now();
    return since + toleratedSeconds(one, tolerations) * 1000 <= state.now();
  });
}

function evictOne(state: ClusterState, pod: JsonObject): void {
  const [namespace, name] = [namespaceOf(pod), nameOf(pod)];
  const reported = disrupt(state, pod, 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint');
  recordEvent(state, reported, {
    type: 'Normal',
    reason: 'TaintManagerEviction',
    message: `Marking for deletion Pod ${namespace}/${name}`,
    component: 'taint-eviction-controller',
  });
  deleteObject(state, { user: undefined, resource: pods, subresource: '', namespace, name }, {});
}

const podsOn = (state: ClusterState, node: string): readonly JsonObject[] =>
  [...state.store.all(pods)].filter((pod) => textAt(specOf(pod), 'nodeName') === node);
