import type { KubeNode, NodeCondition, NodeStatus, NodeTemplate } from '../kubernetes/node.ts';
import { rfc3339 } from '../status/time.ts';
import { isKubeletLabel } from './kubelet-labels.ts';
import { ownerAnnotation } from './node-spec.ts';
import type { NodeResources, NodeSpec } from './node-spec.ts';

export const providerTaint = { key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' } as const;

/** What is POSTed once, Ready from the first moment, so that no cloud controller takes it for a vanished VM (https://kubernetes.io/docs/concepts/architecture/nodes/). `now` in ms. */
export function nodeTemplate(spec: NodeSpec, now: number): NodeTemplate {
  return {
    name: spec.name,
    // What only the app itself may set follows with the first repair.
    labels: Object.fromEntries(Object.entries(nodeLabels(spec)).filter(([key]) => isKubeletLabel(key))),
    annotations: { [ownerAnnotation]: spec.installation },
    taints: spec.taint ? [providerTaint] : [],
    status: nodeStatus(spec, { allocatable: spec.capacity, previous: [], features: [] }, now),
  };
}

/** All that the Node is to have. */
export const nodeLabels = (spec: NodeSpec): Readonly<Record<string, string>> => ({
  ...spec.labels,
  ...ownLabels(spec),
});

/** The operator's own; ours outrank them. */
export function registeredLabels(spec: NodeSpec): Readonly<Record<string, string>> {
  const own = ownLabels(spec);
  return Object.fromEntries(Object.entries(spec.labels).filter(([key]) => own[key] === undefined));
}

/** No `kubernetes.azure.com/cluster`: it would draw AKS's own DaemonSets. */
export function ownLabels(spec: NodeSpec): Readonly<Record<string, string>> {
  return {
    type: 'virtual-kubelet',
    'kubernetes.azure.com/managed': 'false',
    'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
    'node.kubernetes.io/instance-type': 'Virtual',
    'kubernetes.io/hostname': spec.name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'topology.kubernetes.io/region': spec.region,
    ...(spec.zone === undefined ? {} : { 'topology.kubernetes.io/zone': `${spec.region}-${spec.zone}` }),
  };
}

/** ACI has no figure for it; without one the scheduler would refuse every pod that asks for some. */
const ephemeralStorage = '5Ti';

/** The whole status: heartbeats move with each call, transitions only when a condition's status changes. `now` in ms. */
export function nodeStatus(
  spec: NodeSpec,
  state: {
    readonly allocatable: NodeResources;
    readonly previous: readonly NodeCondition[];
    /** Of the relay. */
    readonly features: readonly string[];
  },
  now: number,
): NodeStatus {
  return {
    capacity: resources(spec.capacity),
    allocatable: resources(state.allocatable),
    conditions: healthy.map((condition) => heartbeat(condition, state.previous, rfc3339(now))),
    // Hostname is left out: API servers may prefer it, and nothing resolves it.
    addresses: [{ type: 'InternalIP', address: spec.address }],
    kubeletPort: spec.kubeletPort,
    nodeInfo: {
      machineID: '',
      systemUUID: '',
      bootID: '',
      kernelVersion: '',
      osImage: 'Azure Container Instances',
      containerRuntimeVersion: 'aci://2023-05-01',
      kubeletVersion: spec.kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    declaredFeatures: state.features,
  };
}

const resources = ({ cpu, memory, pods }: NodeResources): Readonly<Record<string, string>> => ({
  cpu,
  memory,
  pods: String(pods),
  'ephemeral-storage': ephemeralStorage,
});

type Health = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

const healthy: readonly Health[] = [
  { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  {
    type: 'PIDPressure',
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
  {
    type: 'NetworkUnavailable',
    status: 'False',
    reason: 'RouteCreated',
    message: 'container groups have their own network',
  },
];

function heartbeat(condition: Health, previous: readonly NodeCondition[], at: string): NodeCondition {
  const before = previous.find(({ type }) => type === condition.type);
  const since = before?.status === condition.status ? before.lastTransitionTime : at;
  return { ...condition, lastHeartbeatTime: at, lastTransitionTime: since };
}

/** How long an unchanged status may stay (`nodeStatusReportFrequency`); the Lease is the heartbeat in between. */
export const unchangedStatusMs = 300_000;

/**
 * What to write: undefined when the object says it already and its heartbeat is younger than five minutes. `now` in ms. What the
 * node declares is no reason where its API server is known to drop it.
 */
export function nodeStatusToWrite(
  actual: KubeNode,
  next: NodeStatus,
  { now, dropsFeatures }: { readonly now: number; readonly dropsFeatures: boolean },
): NodeStatus | undefined {
  const own = actual.status.conditions.filter(({ type }) => healthy.some((condition) => condition.type === type));
  const beats = own.map(({ lastHeartbeatTime }) => Date.parse(lastHeartbeatTime)).filter((ms) => Number.isFinite(ms));
  const isFresh = beats.length === healthy.length && now - Math.min(...beats) < unchangedStatusMs;
  const isDeclared = dropsFeatures || actual.status.declaredFeatures.join() === next.declaredFeatures.join();
  const isSame = comparable({ ...actual.status, conditions: own }) === comparable(next);
  return isFresh && isDeclared && isSame ? undefined : next;
}

function comparable({ capacity, allocatable, conditions, addresses, kubeletPort, nodeInfo }: NodeStatus): string {
  const verdicts = conditions.map(({ type, status, reason, message }) => [type, status, reason, message].join(' '));
  const places = addresses.map(({ type, address }) => `${type} ${address}`);
  return JSON.stringify([
    known(capacity),
    known(allocatable),
    verdicts.toSorted(),
    places.toSorted(),
    kubeletPort,
    filled(nodeInfo),
  ]);
}

/** Other owners may add resources of their own. */
const known = (amounts: Readonly<Record<string, string>>): readonly (string | undefined)[] =>
  ['cpu', 'memory', 'pods', 'ephemeral-storage'].map((name) => amounts[name]);

const filled = (info: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(info)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
