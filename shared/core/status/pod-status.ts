import { isIP } from 'node:net';
import type { GroupObservation } from '../group/group.ts';
import { observedContainer } from '../group/observed-container.ts';
import type { Pod, PodPhase, PodStatus } from '../kubernetes/pod.ts';
import { podConditions } from './conditions.ts';
import { ephemeralStatuses } from './ephemeral.ts';
import { isProvisioned } from './group-condition.ts';
import { observeStatuses } from './observe.ts';
import { advancePhase, hasRegularStarted, phaseOf } from './phase.ts';
import type { ContainerStatuses } from './phase.ts';
import { maintenanceExitCodes } from './restart.ts';
import { withReports } from './readiness.ts';
import type { ReadinessReport } from './readiness.ts';
import { rfc3339 } from './time.ts';
import type { WaitingReason } from './waiting.ts';
import { defined } from '../defined.ts';

export interface PodStatusInput {
  /** With the status that the API object has now. */
  readonly pod: Pod;
  readonly group: GroupObservation;
  /** The node's InternalIP. */
  readonly hostIP: string;
  /** Milliseconds. */
  readonly now: number;
  /** What to say of a container that has not started, when ACI says nothing. */
  readonly waiting?: WaitingReason | undefined;
}

/**
 * The whole status of a pod from one poll of its group, through the kubelet's phase table. Nothing that the API object
 * says is taken back: phase never goes back, an end stays, restart counts do not fall, `startTime` is constant.
 */
export function podStatusFromGroup(input: PodStatusInput): PodStatus {
  const { pod, group } = input;
  const statuses = observeStatuses(input);
  const address = validAddress(group.ip) ?? pod.status.podIP;
  return composeStatus({
    pod,
    statuses,
    phase: phaseOf(pod, statuses, { isEnded: hasEndedInside(pod, group), isRestarting: isRestartedInside(pod, group) }),
    hostIP: input.hostIP,
    ...defined({ podIP: address }),
    isReadyToStart:
      group.state !== 'Stopped' && (isProvisioned(group) || hasRegularStarted(pod, statuses.containerStatuses)),
    disruption: disruptionOf(statuses),
    now: input.now,
  });
}

/** The agents say of each container that nothing starts its program again, whatever the pod's restart policy is. */
const hasEndedInside = (pod: Pod, group: GroupObservation): boolean =>
  pod.spec.containers.every(({ name }) => {
    const container = observedContainer(group, { member: 'containers', name });
    return container?.heard?.isFinal === true && container.instanceView?.currentState?.state === 'Terminated';
  });

/** An agent says that it starts the program of a container again. */
const isRestartedInside = (pod: Pod, group: GroupObservation): boolean =>
  pod.spec.containers.some(({ name }) => {
    const { heard, instanceView: view } = observedContainer(group, { member: 'containers', name }) ?? {};
    return heard?.waiting !== undefined && view?.previousState?.state === 'Terminated';
  });

/**
 * The API object's own status with our conditions put right where they are at odds with its container statuses: the node
 * controller sets `Ready=False` after a flap, a readiness gate appears; with readiness reports, the containers' readiness
 * too. Needs no poll of ARM.
 */
export function correctedStatus(pod: Pod, now: number, reports: readonly ReadinessReport[] = []): PodStatus {
  const { conditions, phase } = pod.status;
  const isReadyToStart = conditions.some(
    ({ type, status }) => type === 'PodReadyToStartContainers' && status === 'True',
  );
  return composeStatus({ pod, statuses: withReports(pod, reports), phase, isReadyToStart, now });
}

export interface Composition {
  readonly pod: Pod;
  readonly statuses: ContainerStatuses;
  /** By the table; the result never goes back behind the API object's. */
  readonly phase: PodPhase;
  /** Of the pod, with a phase that it explains; absent: kept while the phase stays. */
  readonly explanation?: { readonly reason: string; readonly message: string } | undefined;
  readonly hostIP?: string | undefined;
  readonly podIP?: string | undefined;
  readonly isReadyToStart: boolean;
  readonly disruption?: string | undefined;
  readonly now: number;
}

/** Puts the parts together and keeps what a kubelet keeps: startTime, qosClass, the reason of an unchanged phase. */
export function composeStatus(composition: Composition): PodStatus {
  const { pod, statuses, now } = composition;
  const { status } = pod;
  const phase = advancePhase(status.phase, composition.phase);
  const kept = phase === status.phase ? { reason: status.reason, message: status.message } : {};
  const explanation = phase === composition.phase && phase !== status.phase ? composition.explanation : undefined;
  const hostIP = composition.hostIP ?? status.hostIP;
  const podIP = composition.podIP ?? status.podIP;
  const ephemeral = ephemeralStatuses(pod);
  return withoutUndefined({
    phase,
    ...kept,
    ...explanation,
    startTime: status.startTime ?? rfc3339(now),
    hostIP,
    podIP,
    qosClass: status.qosClass,
    observedGeneration: pod.metadata.generation,
    conditions: podConditions({ ...composition, phase }),
    initContainerStatuses: statuses.initContainerStatuses,
    containerStatuses: statuses.containerStatuses,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  });
}

/** A sentence for DisruptionTarget when ACI's own maintenance ended a container. */
export function disruptionOf({ initContainerStatuses, containerStatuses }: ContainerStatuses): string | undefined {
  for (const { name, state } of [...initContainerStatuses, ...containerStatuses])
    if (state.kind === 'terminated' && maintenanceExitCodes.includes(state.exitCode))
      return `Azure Container Instances ended container "${name}" for platform maintenance (exit code ${String(state.exitCode)}).`;
  return undefined;
}

/** One bad address would make the API server refuse the whole status. */
const validAddress = (ip: string | undefined): string | undefined =>
  ip !== undefined && isIP(ip) !== 0 && ip !== '0.0.0.0' ? ip : undefined;

interface Draft {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly hostIP: string | undefined;
  readonly podIP: string | undefined;
  readonly qosClass: string | undefined;
}

function withoutUndefined({
  reason,
  message,
  hostIP,
  podIP,
  qosClass,
  ...rest
}: Omit<PodStatus, keyof Draft> & Draft): PodStatus {
  return {
    ...rest,
    ...defined({ reason, message, hostIP, podIP, qosClass }),
  };
}
