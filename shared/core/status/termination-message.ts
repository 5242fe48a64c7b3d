import { isJsonObject } from '../json.ts';
import type { ContainerState, ContainerStatus, Pod, PodStatus } from '../kubernetes/pod.ts';

/** The ends of logs, by container; without those of which none could be read. */
export type LogTails = ReadonlyMap<string, string>;

/** What a kubelet takes of a log, whichever is less. */
export const tailLines = 80;
const tailBytes = 2_048;

type End = Extract<ContainerState, { kind: 'terminated' }>;
type Member = 'initContainers' | 'containers';

/**
 * Containers whose failure the status is the first to say, and whose `terminationMessagePolicy` asks for the end of the log.
 * One that runs again shows another run's log already.
 */
export const wantedTails = (pod: Pod, status: PodStatus): readonly string[] => [
  ...wantedOf(pod, 'initContainers', status.initContainerStatuses),
  ...wantedOf(pod, 'containers', status.containerStatuses),
];

function wantedOf(pod: Pod, member: Member, statuses: readonly ContainerStatus[]): readonly string[] {
  const known = member === 'containers' ? pod.status.containerStatuses : pod.status.initContainerStatuses;
  return statuses
    .filter((status) => {
      const end = endOf(status);
      if (end === undefined || end.exitCode === 0 || end.message !== undefined) return false;
      const before = known.find(({ name }) => name === status.name);
      return fallsBack(pod, member, status.name) && !isReported(before, end);
    })
    .map(({ name }) => name);
}

/** The status with these tails as its messages. */
export function withTails(status: PodStatus, tails: LogTails): PodStatus {
  if (tails.size === 0) return status;
  const withLogTail = (container: ContainerStatus): ContainerStatus =>
    withMessage(container, tails.get(container.name));
  return {
    ...status,
    initContainerStatuses: status.initContainerStatuses.map(withLogTail),
    containerStatuses: status.containerStatuses.map(withLogTail),
  };
}

function withMessage(status: ContainerStatus, tail: string | undefined): ContainerStatus {
  const end = endOf(status);
  if (tail === undefined || tail === '' || end === undefined || end.message !== undefined) return status;
  const reported: End = { ...end, message: newestPart(tail) };
  return status.state.kind === 'terminated' ? { ...status, state: reported } : { ...status, lastState: reported };
}

/** The last run, where it is over. */
function endOf({ state, lastState }: ContainerStatus): End | undefined {
  if (state.kind === 'terminated') return state;
  return state.kind === 'waiting' && lastState?.kind === 'terminated' ? lastState : undefined;
}

const isReported = (before: ContainerStatus | undefined, end: End): boolean =>
  [before?.state, before?.lastState].some(
    (state) => state?.kind === 'terminated' && state.startedAt === end.startedAt && state.exitCode === end.exitCode,
  );

function fallsBack({ rawSpec }: Pod, member: Member, name: string): boolean {
  const all = rawSpec[member];
  return (
    Array.isArray(all) &&
    all.some(
      (container) =>
        isJsonObject(container) &&
        container['name'] === name &&
        container['terminationMessagePolicy'] === 'FallbackToLogsOnError',
    )
  );
}

/** Its last lines and bytes; not cut inside a character. */
function newestPart(text: string): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const encoded = new TextEncoder().encode(lines.slice(-tailLines).join(''));
  let start = Math.max(0, encoded.length - tailBytes);
  while (start < encoded.length && ((encoded[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return new TextDecoder().decode(encoded.subarray(start));
}
