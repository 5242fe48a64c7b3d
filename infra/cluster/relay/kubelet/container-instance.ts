import type { ContainerStatus, Pod } from '../../../../shared/core/kubernetes/pod.ts';
import { ephemeralSentence } from '../../../../shared/core/status/ephemeral.ts';

/** Whether a container has a log to show, by the pod's status. */
export type LogReadiness =
  | {
      readonly kind: 'ready';
      /** Distinguishes one run of the container from the next. */
      readonly restartCount: number;
      readonly isRunning: boolean;
    }
  /** That of the run before is wanted, and another run has begun: ACI has it no more. */
  | { readonly kind: 'previous' }
  /** The text is a kubelet's: kubectl shows it. */
  | { readonly kind: 'refused'; readonly status: 400 | 404; readonly message: string };

/** As a kubelet's own check before it opens a log (pkg/kubelet/server/server.go). ACI keeps one run's log, until the next begins. */
export function logReadiness(pod: Pod, container: string, wanted: { readonly previous: boolean }): LogReadiness {
  const { name } = pod.metadata;
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const ephemeral = ephemeralSentence(pod, container);
  if (ephemeral !== undefined) return badRequest(ephemeral);
  if (!all.some((one) => one.name === container))
    return { kind: 'refused', status: 404, message: `container "${container}" not found in pod "${name}"` };
  const status = statusOf(pod, container);
  if (wanted.previous) return previousReadiness(name, container, status);
  const hasStarted =
    status !== undefined && (status.state.kind !== 'waiting' || status.lastState?.kind === 'terminated');
  if (!hasStarted && pod.status.phase === 'Failed') return neverStarted(pod, container);
  if (status === undefined) return waitingToStart(name, container);
  if (status.state.kind === 'waiting' && !hasStarted) return waitingToStart(name, container, status.state);
  return { kind: 'ready', restartCount: status.restartCount, isRunning: status.state.kind === 'running' };
}

/** While a container waits for its restart, ACI's log is still that of the run before. */
function previousReadiness(pod: string, container: string, status: ContainerStatus | undefined): LogReadiness {
  if (status?.lastState?.kind !== 'terminated') return badRequest(previousNotFound(pod, container));
  const { state, restartCount } = status;
  return state.kind === 'waiting' ? { kind: 'ready', restartCount, isRunning: false } : { kind: 'previous' };
}

/** In a kubelet's words. */
export const previousNotFound = (pod: string, container: string): string =>
  `previous terminated container "${container}" in pod "${pod}" not found`;

/** Whether the run that was followed has ended: the pod is another or gone, or the container is no longer in it. */
export function isOver(pod: Pod | undefined, followed: Followed): boolean {
  if (pod === undefined || pod.metadata.uid !== followed.uid) return true;
  const status = statusOf(pod, followed.container);
  return status === undefined || status.state.kind !== 'running' || status.restartCount !== followed.restartCount;
}

export interface Followed {
  readonly uid: string;
  readonly container: string;
  readonly restartCount: number;
}

/** The answer for a container without a log; ACI's own words for why are its waiting reason. */
export function waitingToStart(
  pod: string,
  container: string,
  { reason, message = '' }: { readonly reason: string; readonly message?: string } = { reason: '' },
): LogReadiness {
  const subject = `container "${container}" in pod "${pod}"`;
  switch (reason) {
    case 'ErrImagePull':
      return badRequest(`${subject} is waiting to start: image can't be pulled`);
    case 'ImagePullBackOff':
      return badRequest(`${subject} is waiting to start: trying and failing to pull image`);
    case '':
    case 'ContainerCreating':
    case 'PodInitializing':
      return badRequest(`${subject} is waiting to start: ${reason || 'ContainerCreating'}`);
    default:
      return badRequest(
        `${subject} is waiting to start: ${[reason, message].filter((part) => part !== '').join(': ')}`,
      );
  }
}

/** A pod that was refused, or ended before its container was made: nothing is waited for. */
function neverStarted({ metadata, status }: Pod, container: string): LogReadiness {
  const { reason = 'Failed', message = '' } = status;
  const why = [reason, message].filter((part) => part !== '').join(': ');
  return badRequest(`container "${container}" in pod "${metadata.name}" was never started: ${why}`);
}

const badRequest = (message: string): LogReadiness => ({ kind: 'refused', status: 400, message });

const statusOf = ({ status }: Pod, container: string): ContainerStatus | undefined =>
  [...status.initContainerStatuses, ...status.containerStatuses].find(({ name }) => name === container);
