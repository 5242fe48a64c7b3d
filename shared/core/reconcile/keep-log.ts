import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { ContainerStatus, Pod, PodStatus } from '../kubernetes/pod.ts';
import { podEvents } from '../pod-events/table.ts';
import { createEvent } from './rule.ts';
import { timing } from './timing.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Effect, Observed } from './observed.ts';
import type { KeptLog, PodRow } from './pod-row.ts';

/**
 * What must take place before a stop or DELETE erases the log of a pod that stays: its log is kept. Nothing when it is
 * kept already, when nothing has run, or when the patience is over: an end must not wait for a log for ever.
 */
export function keepLog(observed: Observed, pod: Pod): readonly Effect[] {
  const { row, at } = observed;
  const { keptLog } = row;
  if (keptLog?.kind === 'kept' || keptLog?.kind === 'given-up') return [];
  const tried: Omit<Extract<KeptLog, { kind: 'trying' }>, 'kind'> = keptLog?.kind === 'trying'
    ? keptLog
    : { since: at };
  return at - tried.since < timing.keepLogMs
    ? keepAll(observed, pod, tried.since)
    : giveUp(observed, tried.fault ?? 'there was not enough time');
}

/** As {@link keepLog} before a group goes that could as well stay: then it stays rather than lose the log. */
export const keepLogSurely = (observed: Observed, pod: Pod): readonly Effect[] =>
  observed.row.keptLog?.kind === 'kept' ? [] : keepAll(observed, pod, observed.at);

/** Only of a pod that is over: one that gets a new group shows that one's log, as a kubelet does with a new container. */
export const keepLogOfEnded = (observed: Observed, pod: Pod, status: PodStatus): readonly Effect[] =>
  isTerminalPhase(status.phase) ? keepLog(observed, pod) : [];

/** After the rows were lost a log may be kept of which they say nothing. */
export const pastOf = ({ intent, keptLog }: PodRow): Pick<PodRow, 'keptLog'> | undefined =>
  intent.kind === 'none' && keptLog === undefined ? { keptLog: { kind: 'unknown' } } : undefined;

export const giveUp = ({ row }: Observed, why: string): readonly Effect[] => [
  { kind: 'save-row', row: { keptLog: { kind: 'given-up' } } },
  createEvent(
    podEvents.logNotKept.of(`The log could not be kept before container group ${row.group} is ended: ${why}`),
  ),
];

/** The row knows of the blob before it can be there, and that it is complete before anything is erased. */
function keepAll({ sight }: Observed, pod: Pod, since: number): readonly Effect[] {
  const containers = startedContainers(pod, sight.kind === 'seen' ? sight.group : undefined);
  if (containers.length === 0) return [];
  return [
    { kind: 'save-row', row: { keptLog: { kind: 'trying', since } } },
    { kind: 'keep-log', containers },
    { kind: 'save-row', row: { keptLog: { kind: 'kept' } } },
  ];
}

function startedContainers(pod: Pod, group: GroupObservation | undefined): readonly string[] {
  const seen = [...(group?.initContainers ?? []), ...(group?.containers ?? [])].filter(
    ({ instanceView }) =>
      instanceView?.previousState !== undefined || instanceView?.currentState?.startTime !== undefined,
  );
  const reported = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses].filter(hasRun);
  const names = new Set([...seen, ...reported].map(({ name }) => name));
  return [...pod.spec.initContainers, ...pod.spec.containers].map(({ name }) => name).filter((name) => names.has(name));
}

const hasRun = ({ state, lastState }: ContainerStatus): boolean => state.kind !== 'waiting' || lastState !== undefined;
