import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Container, ContainerStatus, Pod, PodStatus } from '../kubernetes/pod.ts';
import { newContainerStatus } from './container-status.ts';
import { byName, firstIncompleteInit } from './observe.ts';
import { findStatus, phaseOf } from './phase.ts';
import { composeStatus } from './pod-status.ts';
import { isFinalEnd, restartPolicyOf } from './restart.ts';
import { initialReason } from './waiting.ts';
import type { WaitingReason } from './waiting.ts';

export interface PendingInput {
  readonly pod: Pod;
  /** CamelCase, e.g. `CreateContainerConfigError`, `ProviderCapacity`; `ContainerCreating` and `FailedMount` are shown as what comes first in the pod. */
  readonly reason: string;
  readonly message?: string | undefined;
  readonly hostIP: string;
  /** Milliseconds. */
  readonly now: number;
}

/**
 * The status of a pod that has no group yet, or none any more and waits for its next one. With init containers only the
 * first unfinished one carries the reason; all behind it wait for `PodInitializing`, as a kubelet says it.
 */
export function pendingStatus(input: PendingInput): PodStatus {
  const { pod } = input;
  if (isTerminalPhase(pod.status.phase)) return pod.status;
  const initial = initialReason(pod);
  const said = {
    reason: input.reason,
    ...(input.message === undefined || input.message === '' ? {} : { message: input.message }),
  };
  const reason = isCreating(input.reason) ? { ...said, reason: initial.reason } : said;
  const first = firstIncompleteInit(pod);
  const isInitialized = first === pod.spec.initContainers.length;
  const statuses = {
    initContainerStatuses: pod.spec.initContainers.map((container, index) =>
      waiting(pod, container, { isInit: true, reason: index === first ? reason : initial }),
    ),
    containerStatuses: byName(
      pod.spec.containers.map((container) =>
        waiting(pod, container, { isInit: false, reason: isInitialized ? reason : initial }),
      ),
    ),
  };
  const phase = phaseOf(pod, statuses, { isEnded: false });
  return composeStatus({ pod, statuses, phase, hostIP: input.hostIP, isReadyToStart: false, now: input.now });
}

/** A kubelet reports a volume that can't be mounted by an event alone. */
const isCreating = (reason: string): boolean => reason === 'ContainerCreating' || reason === 'FailedMount';

function waiting(
  pod: Pod,
  container: Container,
  { isInit, reason }: { readonly isInit: boolean; readonly reason: WaitingReason },
): ContainerStatus {
  const known = findStatus(isInit ? pod.status.initContainerStatuses : pod.status.containerStatuses, container);
  if (known === undefined) return newContainerStatus(container, reason);
  if (known.state.kind === 'running' || isFinalEnd(known.state, restartPolicyOf(pod, container, isInit))) return known;
  const next: ContainerStatus = { ...known, ready: false, started: false, state: { kind: 'waiting', ...reason } };
  return known.state.kind === 'terminated'
    ? { ...next, lastState: known.state, restartCount: known.restartCount + 1 }
    : next;
}
