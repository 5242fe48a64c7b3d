import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Container, ContainerState, ContainerStatus, Pod, PodPhase } from '../kubernetes/pod.ts';
import { isSidecar } from './restart.ts';

export interface ContainerStatuses {
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
}

/**
 * The kubelet's phase table (pkg/kubelet/kubelet_pods.go, getPhase), from the containers alone. `isEnded`: nothing of the pod will run again
 * whatever its restart policy says (deleted, or past its deadline). `isRestarting`: what has ended is started again, whatever that says (KEP-5307).
 */
export function phaseOf(
  pod: Pod,
  statuses: ContainerStatuses,
  options: { readonly isEnded: boolean; readonly isRestarting?: boolean },
): PodPhase {
  const init = countInit(pod, statuses);
  const regular = countRegular(pod, statuses);
  if (init.failed > 0 && (options.isEnded || pod.spec.restartPolicy === 'Never')) return 'Failed';
  const isInitialized = hasRegularStarted(pod, statuses.containerStatuses);
  if (init.pending > 0 || (init.pendingSidecars > 0 && !isInitialized)) return 'Pending';
  if (regular.waiting > 0 || regular.unknown > 0) return 'Pending';
  // A sidecar that still runs holds the end back, so that its own end is in the status as well.
  if (regular.running > 0 || init.runningSidecars > 0) return 'Running';
  if (options.isRestarting === true) return 'Running';
  return regular.stopped === 0 ? 'Pending' : stoppedPhase(pod, regular, options.isEnded);
}

function stoppedPhase(pod: Pod, { stopped, succeeded }: Counts, isEnded: boolean): PodPhase {
  const allSucceeded = stopped === succeeded;
  if (isEnded) return allSucceeded ? 'Succeeded' : 'Failed';
  if (pod.spec.restartPolicy === 'Always') return 'Running';
  if (allSucceeded) return 'Succeeded';
  return pod.spec.restartPolicy === 'Never' ? 'Failed' : 'Running';
}

const ranks: Readonly<Record<PodPhase, number>> = { Unknown: 0, Pending: 1, Running: 2, Succeeded: 3, Failed: 3 };

/** Phase never goes back, and a terminal one is final (pkg/kubelet/kubelet_pods.go, getPhase). */
export function advancePhase(previous: PodPhase, next: PodPhase): PodPhase {
  return isTerminalPhase(previous) || ranks[next] < ranks[previous] ? previous : next;
}

/** True once any regular container has run: the pod has been initialized, whatever its sidecars do since. */
export function hasRegularStarted(pod: Pod, statuses: readonly ContainerStatus[]): boolean {
  return pod.spec.containers.some((container) => {
    const status = findStatus(statuses, container);
    return status !== undefined && (status.state.kind !== 'waiting' || status.lastState !== undefined);
  });
}

export const findStatus = (
  statuses: readonly ContainerStatus[],
  container: Pick<Container, 'name'>,
): ContainerStatus | undefined => statuses.find((status) => status.name === container.name);

/** How the last attempt ended; a waiting container that ran before counts as stopped. */
export function lastEnd(status: ContainerStatus): Extract<ContainerState, { kind: 'terminated' }> | undefined {
  if (status.state.kind === 'terminated') return status.state;
  return status.state.kind === 'waiting' && status.lastState?.kind === 'terminated' ? status.lastState : undefined;
}

function countInit(
  pod: Pod,
  statuses: ContainerStatuses,
): { pending: number; failed: number; pendingSidecars: number; runningSidecars: number } {
  const counts = { pending: 0, failed: 0, pendingSidecars: 0, runningSidecars: 0 };
  for (const container of pod.spec.initContainers) {
    const status = findStatus(statuses.initContainerStatuses, container);
    const end = status === undefined ? undefined : lastEnd(status);
    if (isSidecar(container)) {
      const isPending = end === undefined && status?.state.kind !== 'running';
      counts.pendingSidecars += isPending ? 1 : 0;
      counts.runningSidecars += status?.state.kind === 'running' ? 1 : 0;
    } else if (end === undefined) counts.pending += 1;
    else if (end.exitCode !== 0) counts.failed += 1;
  }
  return counts;
}

interface Counts {
  readonly unknown: number;
  readonly running: number;
  readonly waiting: number;
  readonly stopped: number;
  readonly succeeded: number;
}

function countRegular(pod: Pod, statuses: ContainerStatuses): Counts {
  const counts = { unknown: 0, running: 0, waiting: 0, stopped: 0, succeeded: 0 };
  for (const container of pod.spec.containers) {
    const status = findStatus(statuses.containerStatuses, container);
    const end = status === undefined ? undefined : lastEnd(status);
    if (status === undefined) counts.unknown += 1;
    else if (end !== undefined) {
      counts.stopped += 1;
      counts.succeeded += status.state.kind === 'terminated' && end.exitCode === 0 ? 1 : 0;
    } else counts[status.state.kind === 'running' ? 'running' : 'waiting'] += 1;
  }
  return counts;
}
