import type { Container, ContainerState, Pod, RestartPolicy } from '../kubernetes/pod.ts';
import { defined } from '../defined.ts';

export type TerminatedState = Extract<ContainerState, { kind: 'terminated' }>;

/** ACI stopped the container for its own maintenance (docs/aci.md, Life of a group): the platform's fault, not the program's. */
export const maintenanceExitCodes: readonly number[] = [7147, 7148];

/** An init container that runs beside the regular ones (KEP-753). */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

/** What happens to a container that has ended: an init container under `Always` is run again only when it failed. */
export function restartPolicyOf(pod: Pod, container: Container, isInit: boolean): RestartPolicy {
  if (isInit && isSidecar(container)) return 'Always';
  return isInit && pod.spec.restartPolicy === 'Always' ? 'OnFailure' : pod.spec.restartPolicy;
}

/** True when nobody will run the container again, so that its exit code is the last word. */
export const isFinalEnd = (state: ContainerState, policy: RestartPolicy): boolean =>
  state.kind === 'terminated' && (policy === 'Never' || (policy === 'OnFailure' && state.exitCode === 0));

const unknownEndMessage = 'The container could not be located when the pod was terminated';
const unknownRestartMessage =
  'The container could not be located when the pod was deleted.  The container used to be Running';

/** Why nobody says how a container ended; is behind the sentence of a kubelet. */
export type EndCause = 'deadline' | 'deletion' | 'outside' | 'no-code' | 'no-start' | 'newer-run';

const unreported = 'Azure Container Instances reports no exit code of a container that it is asked to stop';
const causes: Readonly<Record<EndCause, string>> = {
  deadline: `${unknownEndMessage}: activeDeadlineSeconds ended it, and ${unreported}`,
  deletion: `${unknownEndMessage}: the deletion of the pod ended it, and ${unreported}`,
  outside: `${unknownEndMessage}: its container group was stopped or deleted outside of Kubernetes`,
  'no-code': `${unknownEndMessage}: Azure Container Instances reported its end without an exit code`,
  'no-start': `${unknownEndMessage}: Azure Container Instances had not reported its start`,
  'newer-run': `${unknownRestartMessage}: Azure Container Instances shows a newer run, and not how this one ended`,
};

/** What a kubelet writes for a container whose end nobody reported. The time of the end is unknown and stays absent. */
export function unknownEnd(
  cause: EndCause,
  known: { readonly startedAt?: string | undefined; readonly containerID?: string | undefined },
): TerminatedState {
  return {
    kind: 'terminated',
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: causes[cause],
    ...defined({ startedAt: known.startedAt, containerID: known.containerID }),
  };
}

/** An end that nobody reported; a later report of the same run may still report the truth. */
export const isUnknownEnd = (state: TerminatedState): boolean => state.reason === 'ContainerStatusUnknown';
