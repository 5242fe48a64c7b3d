import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '../kubernetes/pod.ts';
import { wholeSeconds } from './time.ts';

/**
 * What to write: undefined when the API object says it already, to the second and whatever the order of conditions.
 * So foreign changes to our own conditions (the node controller's `Ready=False`) are fixed and nothing is written twice.
 */
export function statusToWrite(pod: Pod, next: PodStatus): PodStatus | undefined {
  const tracksGeneration = pod.status.startTime === undefined || pod.status.observedGeneration !== undefined;
  return normalised(pod.status, tracksGeneration) === normalised(next, tracksGeneration) ? undefined : next;
}

/** API servers before 1.33 drop `observedGeneration`; without this, each poll would write. */
function normalised(status: PodStatus, tracksGeneration: boolean): string {
  const generation = (value: number | undefined): number | null => (tracksGeneration ? (value ?? null) : null);
  const conditions = status.conditions.map((condition) => [
    ...conditionValues(condition),
    condition.type === 'PodScheduled' ? null : generation(condition.observedGeneration),
  ]);
  return JSON.stringify([
    status.phase,
    status.reason ?? '',
    status.message ?? '',
    instant(status.startTime),
    status.hostIP ?? '',
    status.podIP ?? '',
    status.qosClass ?? '',
    generation(status.observedGeneration),
    conditions.map((values) => JSON.stringify(values)).sort(),
    status.initContainerStatuses.map(containerValues),
    status.containerStatuses.map(containerValues),
    (status.ephemeralContainerStatuses ?? []).map(containerValues),
  ]);
}

const instant = (text: string | undefined): string => wholeSeconds(text) ?? '';

const conditionValues = ({ type, status, reason, message, lastTransitionTime }: PodCondition): readonly string[] => [
  type,
  status,
  reason ?? '',
  message ?? '',
  instant(lastTransitionTime),
];

const containerValues = (status: ContainerStatus): readonly unknown[] => [
  status.name,
  status.image,
  hasNeverStarted(status) ? '' : status.imageID,
  status.containerID ?? '',
  status.ready,
  status.started ?? false,
  status.restartCount,
  stateValues(status.state),
  stateValues(status.lastState),
];

/** A kubelet reports the image's id with the container's start: that it was pulled is no news of its own. */
const hasNeverStarted = ({ state, lastState }: ContainerStatus): boolean =>
  state.kind === 'waiting' && lastState === undefined;

function stateValues(state: ContainerState | undefined): readonly (string | number)[] {
  if (state === undefined) return [];
  if (state.kind === 'waiting') return [state.kind, state.reason, state.message ?? ''];
  if (state.kind === 'running') return [state.kind, instant(state.startedAt)];
  const { exitCode, reason, message = '', startedAt, finishedAt, containerID = '' } = state;
  return [state.kind, exitCode, reason, message, instant(startedAt), instant(finishedAt), containerID];
}
