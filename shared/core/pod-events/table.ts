import type { GroupResources } from '../group/group.ts';
import type { ContainerRef, NamedContainer, PodEvent, Repetition } from './pod-event.ts';

/** One row of the table: what is the same for all events of a kind. */
interface EventKind {
  readonly type: PodEvent['type'];
  readonly reason: string;
  readonly repetition: Repetition;
}

/** An event about the pod as a whole. */
const ofPod = <Names extends readonly unknown[]>(kind: EventKind, wording: (...names: Names) => string) => ({
  ...kind,
  about: 'pod' as const,
  of: (...names: Names): PodEvent => ({ ...kind, message: wording(...names) }),
});

/** An event that points at one container (`involvedObject.fieldPath`). */
const ofContainer = <Names extends readonly unknown[]>(
  kind: EventKind,
  wording: (container: NamedContainer, ...names: Names) => string,
) => ({
  ...kind,
  about: 'container' as const,
  of: (container: NamedContainer, ...names: Names): PodEvent => ({
    ...kind,
    message: wording(container, ...names),
    container: refOf(container),
  }),
});

const refOf = ({ member, name }: ContainerRef): ContainerRef => ({ member, name });

const once = (reason: string): EventKind => ({ type: 'Normal', reason, repetition: 'once' });
const eachTime = (reason: string): EventKind => ({ type: 'Normal', reason, repetition: 'each-time' });
const trouble = (reason: string): EventKind => ({ type: 'Warning', reason, repetition: 'while-it-lasts' });

/** ACI reports whole seconds: a pull within one has no duration worth reporting. */
const inSeconds = (seconds: number): string => (seconds > 0 ? ` in ${String(seconds)}s` : '');

/** A kubelet's own errors begin so, and ACI's already do. */
const errorOf = (error: string): string => `Error: ${error.replace(/^Error: /, '')}`;

/** Who a restart is backed off for, as a kubelet names it. */
export interface PodNames {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/**
 * The events of pods, in the words of a kubelet where it has some. A pod in which nothing goes wrong has three: `Created`,
 * and for each container `Pulled` and `Started`, which are written at the poll that first sees it started; `Pulling` comes
 * only where a pull takes long. Each costs one request of the API server's, beside the calls that are made anyway.
 */
export const podEvents = {
  /** With what the group has, and is paid for: more than was asked for where ACI rounds up. */
  created: ofPod(
    once('Created'),
    (group: string, { cpu, memoryInGB }: GroupResources) =>
      `Created container group ${group} (cpu ${cpu}, memory ${memoryInGB} GB)`,
  ),
  pulling: ofContainer(once('Pulling'), ({ image }) => `Pulling image "${image}"`),
  pulled: ofContainer(
    once('Pulled'),
    ({ image }, seconds: number) => `Successfully pulled image "${image}"${inSeconds(seconds)}`,
  ),
  started: ofContainer(eachTime('Started'), ({ name }) => `Started container ${name}`),
  killing: ofContainer(once('Killing'), ({ name }) => `Stopping container ${name}`),
  /** In ACI's words, which are a kubelet's. */
  unhealthy: ofContainer({ ...eachTime('Unhealthy'), type: 'Warning' }, (_, message: string) => message),
  /** Of a readiness probe, in a kubelet's words; a failure that lasts is reported again. */
  notReady: ofContainer(trouble('Unhealthy'), (_, message: string) => message),
  killedUnhealthy: ofContainer(
    eachTime('Killing'),
    ({ name }) => `Container ${name} failed liveness probe, will be restarted`,
  ),
  agentSilent: ofContainer(
    trouble('AgentSilent'),
    ({ name }, why: string) =>
      `The agent of container ${name} runs and nobody hears it, so what it reports is not in the status: ${why}`,
  ),
  deadlineExceeded: ofPod(once('DeadlineExceeded'), (message: string) => message),
  /** The same for each restart, so that a loop is one object that is counted. */
  backOffRestarting: ofContainer(
    trouble('BackOff'),
    ({ name }, pod: PodNames) =>
      `Back-off restarting failed container ${name} in pod ${pod.name}_${pod.namespace}(${pod.uid})`,
  ),
  backOffPulling: ofContainer(
    { ...trouble('BackOff'), type: 'Normal' },
    ({ image }) => `Back-off pulling image "${image}"`,
  ),
  pullFailed: ofContainer(trouble('Failed'), ({ image }, why: string) => `Failed to pull image "${image}": ${why}`),
  /** A waiting reason, or why a container can't be created or started. */
  failed: ofContainer(trouble('Failed'), (_, error: string) => errorOf(error)),
  inspectFailed: ofContainer(trouble('InspectFailed'), (_, message: string) => message),
  neverPulled: ofContainer(trouble('ErrImageNeverPull'), (_, message: string) => message),
  failedMount: ofPod(trouble('FailedMount'), (message: string) => message),
  imageNotChanged: ofContainer(trouble('ImageNotChanged'), (_, message: string) => message),
  groupLost: ofPod(trouble('ContainerGroupLost'), (group: string, isSpot: boolean) =>
    isSpot
      ? `Azure took the Spot capacity of container group ${group} back, or somebody stopped or deleted it`
      : `Container group ${group} was stopped or deleted outside of Kubernetes`,
  ),
  groupNameTaken: ofPod(
    trouble('GroupNameTaken'),
    (group: string) =>
      `Container group ${group} exists with the tags of another owner; remove it or change INSTALLATION`,
  ),
  /** Written by the relay, when somebody reads such a log. */
  logCut: ofContainer(
    once('LogCut'),
    ({ name }) =>
      `The log of container ${name} probably begins in the middle: Azure Container Instances shows the last 16 KB or 1,000 lines of a container that has ended`,
  ),
  logNotKept: ofPod({ ...once('LogNotKept'), type: 'Warning' }, (message: string) => message),
};

/** A pod that waits or is refused is reported so by its own reason: the waiting reason, or the one that it fails with. */
export const reasonEvent = ({ reason, message }: { readonly reason: string; readonly message: string }): PodEvent => ({
  ...trouble(reason),
  message,
});

/** What of the spec has no effect or another one, said when the group is made; a warning is repeated while it is tried. */
export const noticeEvent = (notice: {
  readonly type?: 'Warning';
  readonly reason: string;
  readonly message: string;
}): PodEvent => {
  const { reason, message, type } = notice;
  return { ...(type === 'Warning' ? trouble(reason) : once(reason)), message };
};
