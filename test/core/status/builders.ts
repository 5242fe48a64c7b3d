import type {
  GroupEvent,
  GroupObservation,
  InstanceView,
  ObservedContainer,
  ObservedState,
} from '../../../shared/core/group/group.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodStatus,
  RestartPolicy,
} from '../../../shared/core/kubernetes/pod.ts';
import { defined } from '../../../shared/core/defined.ts';

export const hostIP = '10.0.0.9';
export const t0 = Date.parse('2026-11-23T05:00:00Z');
/** `second` after t0, to the second. */
export const at = (second: number): string => new Date(t0 + second * 1000).toISOString().replace('.000Z', 'Z');

export const container = (name: string, changes: Partial<Container> = {}): Container => ({
  name,
  image: `${name}:1`,
  command: [],
  args: [],
  env: [],
  envFrom: [],
  ports: [],
  resources: { requests: {}, limits: {} },
  volumeMounts: [],
  ...changes,
});

export interface PodChanges {
  readonly policy?: RestartPolicy;
  readonly containers?: readonly string[];
  readonly init?: readonly string[];
  readonly status?: Partial<PodStatus>;
  readonly gates?: readonly string[];
  readonly generation?: number;
}

export const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: at(-1) } as const;

export function podOf({
  policy = 'Always',
  containers = ['main'],
  init = [],
  status = {},
  gates,
  generation = 1,
}: PodChanges = {}): Pod {
  const rawSpec: JsonObject =
    gates === undefined ? {} : { readinessGates: gates.map((conditionType) => ({ conditionType })) };
  return {
    metadata: {
      name: 'p',
      namespace: 'ns',
      uid: 'uid-1',
      resourceVersion: '1',
      generation,
      creationTimestamp: at(-2),
      labels: {},
      annotations: {},
      ownerReferences: [],
    },
    spec: {
      nodeName: 'aci-1',
      containers: containers.map((name) => container(name)),
      initContainers: init.map((name) => container(name)),
      restartPolicy: policy,
      volumes: [],
      imagePullSecrets: [],
      serviceAccountName: 'default',
      enableServiceLinks: true,
      terminationGracePeriodSeconds: 30,
    },
    status: {
      phase: 'Pending',
      qosClass: 'BestEffort',
      conditions: [scheduled],
      initContainerStatuses: [],
      containerStatuses: [],
      ...status,
    },
    rawSpec,
  };
}

/** As the API server would show the pod after this status was written. */
export const applied = (pod: Pod, status: PodStatus): Pod => ({
  ...pod,
  status: { ...status, qosClass: pod.status.qosClass ?? 'BestEffort' },
});

export const running = (second: number): ObservedState => ({
  state: 'Running',
  startTime: `${at(second).slice(0, -1)}.212Z`,
  detailStatus: '',
});
export const ended = (
  exitCode: number,
  start: number,
  finish: number,
  detailStatus = exitCode === 0 ? 'Completed' : 'Error',
): ObservedState => ({
  state: 'Terminated',
  exitCode,
  startTime: at(start),
  finishTime: at(finish),
  detailStatus,
});
export const waiting = (detailStatus = ''): ObservedState => ({ state: 'Waiting', detailStatus });

export const viewOf = (currentState: ObservedState, changes: Partial<InstanceView> = {}): InstanceView => ({
  restartCount: 0,
  currentState,
  events: [],
  ...changes,
});

export const observed = (name: string, instanceView?: InstanceView): ObservedContainer => ({
  name,
  image: `${name}:1`,
  ...defined({ instanceView }),
});

export const eventOf = (name: string, message: string, second = 0): GroupEvent => ({
  name,
  message,
  type: name === 'Failed' ? 'Warning' : 'Normal',
  count: 1,
  firstTimestamp: at(second),
  lastTimestamp: at(second),
});

export function groupOf(
  containers: Readonly<Record<string, InstanceView | undefined>>,
  changes: Partial<GroupObservation> = {},
): GroupObservation {
  return {
    name: 'ns-p-abc',
    tags: {},
    provisioningState: 'Succeeded',
    state: 'Running',
    restartPolicy: 'Always',
    ip: '10.1.0.4',
    containers: Object.entries(containers).map(([name, view]) => observed(name, view)),
    initContainers: [],
    events: [],
    ...changes,
  };
}

export const initOf = (containers: Readonly<Record<string, InstanceView | undefined>>): readonly ObservedContainer[] =>
  Object.entries(containers).map(([name, view]) => observed(name, view));

/** `waiting:Reason`, `running`, `terminated:3:Error`, with `<` and the last state's where there is one. */
export function brief(status: ContainerStatus | undefined): string {
  if (status === undefined) return 'absent';
  const last = status.lastState === undefined ? '' : ` < ${stateBrief(status.lastState)}`;
  return `${stateBrief(status.state)}${last} #${String(status.restartCount)}`;
}

function stateBrief(state: ContainerState): string {
  if (state.kind === 'running') return 'running';
  return state.kind === 'waiting' ? `waiting:${state.reason}` : `terminated:${String(state.exitCode)}:${state.reason}`;
}

export const conditionBrief = (status: PodStatus, type: string): string => {
  const found = status.conditions.find((condition) => condition.type === type);
  return found === undefined
    ? 'absent'
    : [found.status, found.reason, found.message].filter((part) => part !== undefined).join(' | ');
};
