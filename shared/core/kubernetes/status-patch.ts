import type { JsonObject } from '../json.ts';
import type { NodeStatusPatch } from './node.ts';
import { ownConditions } from './pod-change.ts';
import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from './pod.ts';
import { defined } from '../defined.ts';

/** The one reason under which a kubelet writes `DisruptionTarget`; the others are the controllers'. */
const ownDisruptionReason = 'TerminationByKubelet';

/** What is written to `pods/status`. */
export interface PodWrite extends PodStatus {
  /** Of the pod, beside its status; null takes one away, the others stay. */
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/**
 * The strategic merge patch of `pods/status` that turns the status of `pod` into `status`. `metadata.uid` and
 * `metadata.resourceVersion` are preconditions. Conditions merge by type, so those of other owners stay; container
 * statuses are atomic lists; `podIPs` and `hostIPs` would merge by address and are replaced as a whole. `qosClass` is
 * the server's. `startTime` and `observedGeneration` are never taken back.
 */
export function buildPodStatusPatch(pod: Pod, status: PodWrite): JsonObject {
  const { uid, resourceVersion } = pod.metadata;
  return {
    metadata: { uid, resourceVersion, ...defined({ annotations: status.annotations }) },
    status: {
      phase: status.phase,
      reason: status.reason ?? null,
      message: status.message ?? null,
      ...defined({ startTime: status.startTime, observedGeneration: status.observedGeneration }),
      hostIP: status.hostIP ?? null,
      hostIPs: addresses(status.hostIP),
      podIP: status.podIP ?? null,
      podIPs: addresses(status.podIP),
      conditions: status.conditions.filter((condition) => isOwn(condition, pod.status.conditions)).map(toCondition),
      initContainerStatuses: status.initContainerStatuses.map(toContainerStatus),
      containerStatuses: status.containerStatuses.map(toContainerStatus),
      ...(status.ephemeralContainerStatuses === undefined
        ? {}
        : { ephemeralContainerStatuses: status.ephemeralContainerStatuses.map(toContainerStatus) }),
    },
  };
}

/**
 * The strategic merge patch of `nodes/status`: conditions merge by type; addresses, capacity and allocatable are
 * replaced, because a merge would keep what is gone (and two addresses of one type corrupt under it).
 */
export function buildNodeStatusPatch(patch: NodeStatusPatch): JsonObject {
  return {
    status: {
      ...nodeStatus(patch),
      addresses: [{ $patch: 'replace' }, ...patch.addresses],
      capacity: { ...patch.capacity, $patch: 'replace' },
      allocatable: { ...patch.allocatable, $patch: 'replace' },
    },
  };
}

/** `v1.NodeStatus` as JSON. */
export function nodeStatus(status: NodeStatusPatch): JsonObject {
  return {
    capacity: status.capacity,
    allocatable: status.allocatable,
    conditions: status.conditions.map((condition) => ({ ...condition })),
    addresses: status.addresses.map((address) => ({ ...address })),
    daemonEndpoints: { kubeletEndpoint: { Port: status.kubeletPort } },
    nodeInfo: status.nodeInfo,
    declaredFeatures: status.declaredFeatures,
  };
}

function isOwn(condition: PodCondition, present: readonly PodCondition[]): boolean {
  switch (condition.type) {
    case 'PodScheduled':
      // The scheduler's, unless the pod was created with a nodeName.
      return !present.some((other) => other.type === 'PodScheduled');
    case 'DisruptionTarget':
      return condition.reason === ownDisruptionReason;
    default:
      return ownConditions.has(condition.type);
  }
}

/** What is absent is sent as null, because a merge would keep the reason of the state before. */
const toCondition = (condition: PodCondition): JsonObject => ({
  type: condition.type,
  status: condition.status,
  reason: condition.reason ?? null,
  message: condition.message ?? null,
  lastProbeTime: condition.lastProbeTime ?? null,
  lastTransitionTime: condition.lastTransitionTime ?? null,
  observedGeneration: condition.observedGeneration ?? null,
});

const addresses = (ip: string | undefined): readonly JsonObject[] => [
  { $patch: 'replace' },
  ...(ip === undefined ? [] : [{ ip }]),
];

const toContainerStatus = (status: ContainerStatus): JsonObject => ({
  name: status.name,
  image: status.image,
  imageID: status.imageID,
  containerID: status.containerID,
  ready: status.ready,
  started: status.started,
  restartCount: status.restartCount,
  state: toState(status.state),
  lastState: status.lastState === undefined ? {} : toState(status.lastState),
});

function toState(state: ContainerState): JsonObject {
  if (state.kind === 'waiting') return { waiting: { reason: state.reason, message: state.message } };
  if (state.kind === 'running')
    // An empty text is no time to the server; null is the zero time.
    return { running: { startedAt: state.startedAt === '' ? null : state.startedAt } };
  const { kind: _, ...terminated } = state;
  return { terminated };
}
