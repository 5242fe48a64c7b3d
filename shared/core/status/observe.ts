import type { GroupObservation } from '../group/group.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Container, ContainerStatus, Pod } from '../kubernetes/pod.ts';
import { observeContainer } from './container-status.ts';
import { installTrouble } from './install-trouble.ts';
import { findStatus } from './phase.ts';
import type { ContainerStatuses } from './phase.ts';
import { isSidecar, restartPolicyOf } from './restart.ts';
import type { EndCause } from './restart.ts';
import { initialReason } from './waiting.ts';
import type { WaitingReason } from './waiting.ts';

export interface Observation {
  readonly pod: Pod;
  readonly group: GroupObservation;
  /** Milliseconds. */
  readonly now: number;
  /** What to say of the first container that has not started, when ACI says nothing. */
  readonly waiting?: WaitingReason | undefined;
  /** Who stopped the group, if it is stopped; somebody else unless given. */
  readonly cause?: EndCause | undefined;
}

/** All container statuses, init ones in the order of the spec, the others by name, as a kubelet writes them. */
export function observeStatuses(observed: Observation): ContainerStatuses {
  const { pod, group } = observed;
  const observation = { ...observed, waiting: observed.waiting ?? installTrouble(pod, group) };
  const initContainerStatuses = pod.spec.initContainers.map((container, index) =>
    observe(observation, container, {
      isInit: true,
      fallback: index === firstIncompleteInit(pod) ? observation.waiting : undefined,
    }),
  );
  const isInitialized = initContainerStatuses.every((status, index) =>
    isInitDone(pod.spec.initContainers[index], status),
  );
  const containerStatuses = pod.spec.containers.map((container) => {
    const hasInit = pod.spec.initContainers.length > 0;
    const status = observe(observation, container, {
      isInit: false,
      fallback: hasInit ? undefined : observation.waiting,
    });
    return isInitialized ? status : untilInitialized(pod, status);
  });
  return { initContainerStatuses, containerStatuses: byName(containerStatuses) };
}

export const byName = (statuses: readonly ContainerStatus[]): readonly ContainerStatus[] =>
  statuses.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));

/** The init container that holds up the others, by what the API object says; its count when all are done. */
export function firstIncompleteInit(pod: Pod): number {
  const index = pod.spec.initContainers.findIndex(
    (container) => !isInitDone(container, findStatus(pod.status.initContainerStatuses, container)),
  );
  return index === -1 ? pod.spec.initContainers.length : index;
}

function isInitDone(container: Container | undefined, status: ContainerStatus | undefined): boolean {
  if (container !== undefined && isSidecar(container)) return status?.started === true;
  return status?.state.kind === 'terminated' && status.state.exitCode === 0;
}

/** Before the init containers are done, a container that never ran waits for nothing else than them. */
function untilInitialized(pod: Pod, status: ContainerStatus): ContainerStatus {
  const hasRun = status.state.kind !== 'waiting' || status.lastState !== undefined;
  return hasRun ? status : { ...status, state: { kind: 'waiting', ...initialReason(pod) } };
}

function observe(
  { pod, group, now, cause = 'outside' }: Observation,
  container: Container,
  { isInit, fallback }: { readonly isInit: boolean; readonly fallback: WaitingReason | undefined },
): ContainerStatus {
  return observeContainer({
    pod,
    group,
    container,
    isInit,
    policy: restartPolicyOf(pod, container, isInit),
    previous: findStatus(isInit ? pod.status.initContainerStatuses : pod.status.containerStatuses, container),
    isTerminal: isTerminalPhase(pod.status.phase),
    isStopped: group.state === 'Stopped',
    cause,
    fallback: fallback ?? initialReason(pod),
    now,
  });
}
