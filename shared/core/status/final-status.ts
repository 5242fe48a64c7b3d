import type { GroupObservation } from '../group/group.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { ContainerStatus, Pod, PodStatus } from '../kubernetes/pod.ts';
import { endContainer, loseContainer, newContainerStatus } from './container-status.ts';
import { byName, observeStatuses } from './observe.ts';
import { findStatus, hasRegularStarted, lastEnd, phaseOf } from './phase.ts';
import type { ContainerStatuses } from './phase.ts';
import { composeStatus, disruptionOf } from './pod-status.ts';
import { isUnknownEnd, restartPolicyOf } from './restart.ts';
import type { EndCause } from './restart.ts';
import { initialReason } from './waiting.ts';

/** A pod that can never run here: Failed before any container was, as a kubelet's admission does it (pkg/kubelet/lifecycle/predicate.go). */
export function rejectedStatus({
  pod,
  reason,
  message,
  now,
}: {
  readonly pod: Pod;
  readonly reason: string;
  readonly message: string;
  readonly now: number;
}): PodStatus {
  if (isTerminalPhase(pod.status.phase)) return pod.status;
  const { initContainerStatuses, containerStatuses } = pod.status;
  return composeStatus({
    pod,
    statuses: { initContainerStatuses, containerStatuses },
    phase: 'Failed',
    explanation: { reason, message: `Pod was rejected: ${message}` },
    isReadyToStart: false,
    now,
  });
}

const lostGroupMessage = 'The container group that ran the pod was stopped or deleted outside of Kubernetes.';
const lostSpotMessage =
  'Azure took the Spot capacity of the container group that ran the pod back, or somebody stopped or deleted it.';

/**
 * Somebody deleted or stopped the group (rule 2 of docs/architecture.md). What ran is `ContainerStatusUnknown`, unless the last poll knows
 * better; under `Never` the pod is over, else it waits for its next group and what never started goes on waiting.
 */
export function lostStatus(input: EndInput & { readonly isSpot?: boolean }): PodStatus {
  const { pod, isSpot = false } = input;
  const seen = lastStatuses(input, 'outside');
  const statuses = {
    initContainerStatuses: seen.initContainerStatuses.map((status) => lose(pod, status, true)),
    containerStatuses: seen.containerStatuses.map((status) => lose(pod, status, false)),
  };
  const isCutShort = [...statuses.initContainerStatuses, ...statuses.containerStatuses].some(
    ({ state }) => state.kind === 'terminated' && isUnknownEnd(state),
  );
  const disruption = disruptionOf(statuses) ?? (isCutShort ? (isSpot ? lostSpotMessage : lostGroupMessage) : undefined);
  return composeStatus({
    ...input,
    statuses,
    phase: phaseOf(pod, statuses, { isEnded: false }),
    isReadyToStart: false,
    disruption,
  });
}

function lose(pod: Pod, status: ContainerStatus, isInit: boolean): ContainerStatus {
  const container = (isInit ? pod.spec.initContainers : pod.spec.containers).find(({ name }) => name === status.name);
  return container === undefined ? status : loseContainer(status, restartPolicyOf(pod, container, isInit), 'outside');
}

export interface EndInput {
  readonly pod: Pod;
  /** The last poll; undefined: there is no group. */
  readonly group?: GroupObservation | undefined;
  /** The node's InternalIP. */
  readonly hostIP?: string | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/**
 * The terminal status that must be before a deleted pod's object is removed: what ended keeps its true code, the rest is
 * `ContainerStatusUnknown`. Succeeded only if all containers exited 0; a pod that never started is Failed.
 */
export function deletedStatus(input: EndInput): PodStatus {
  const statuses = endedStatuses(input, 'deletion');
  const phase = phaseOf(input.pod, statuses, { isEnded: true });
  return composeStatus({
    ...input,
    statuses,
    phase: isTerminalPhase(phase) ? phase : 'Failed',
    isReadyToStart: false,
    disruption: disruptionOf(statuses),
  });
}

export const deadlineExceededMessage = 'Pod was active on the node longer than the specified deadline';

/** `activeDeadlineSeconds` is over: Failed whatever the containers' codes, and no disruption. A pod that is over already stays as it is. */
export function deadlineStatus(input: EndInput): PodStatus {
  const explanation = { reason: 'DeadlineExceeded', message: deadlineExceededMessage };
  return composeStatus({
    ...input,
    statuses: endedStatuses(input, 'deadline'),
    phase: 'Failed',
    explanation,
    isReadyToStart: false,
  });
}

function endedStatuses(input: EndInput, cause: EndCause): ContainerStatuses {
  const { pod } = input;
  const seen = lastStatuses(input, cause);
  const isOver = isTerminalPhase(pod.status.phase) || isTerminalPhase(phaseOf(pod, seen, { isEnded: false }));
  if (isOver) return mapStatuses(seen, (status) => (isUnstarted(status) ? status : endContainer(status, cause)));
  const { initContainerStatuses, containerStatuses } = seen;
  // As a kubelet: what is behind an init container that was cut short never ran, and gets no end; the first always does.
  const started = Math.max(
    0,
    initContainerStatuses.findLastIndex((status) => !isUnstarted(status)),
  );
  return {
    initContainerStatuses: initContainerStatuses.map((status, index) =>
      index > started ? status : endContainer(status, cause),
    ),
    containerStatuses: isInitialized(pod, seen)
      ? containerStatuses.map((status) => endContainer(status, cause))
      : containerStatuses,
  };
}

function isInitialized(pod: Pod, { initContainerStatuses, containerStatuses }: ContainerStatuses): boolean {
  const last = initContainerStatuses.at(-1);
  return last === undefined || hasRegularStarted(pod, containerStatuses) || lastEnd(last)?.exitCode === 0;
}

const lastStatuses = ({ pod, group, now }: EndInput, cause: EndCause): ContainerStatuses =>
  group === undefined ? knownStatuses(pod) : observeStatuses({ pod, group, now, cause });

/** Behind a failed init container the others never ran, and their status goes on saying so. */
const isUnstarted = ({ state, lastState }: ContainerStatus): boolean =>
  state.kind === 'waiting' && lastState === undefined;

function knownStatuses(pod: Pod): ContainerStatuses {
  const waiting = initialReason(pod);
  const { initContainerStatuses, containerStatuses } = pod.status;
  return {
    initContainerStatuses: pod.spec.initContainers.map(
      (container) => findStatus(initContainerStatuses, container) ?? newContainerStatus(container, waiting),
    ),
    containerStatuses: byName(
      pod.spec.containers.map(
        (container) => findStatus(containerStatuses, container) ?? newContainerStatus(container, waiting),
      ),
    ),
  };
}

function mapStatuses(
  statuses: ContainerStatuses,
  change: (status: ContainerStatus) => ContainerStatus,
): ContainerStatuses {
  return {
    initContainerStatuses: statuses.initContainerStatuses.map(change),
    containerStatuses: statuses.containerStatuses.map(change),
  };
}
