import type { Fault } from '../../../shared/core/fault.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { KeptLog } from '../../../shared/core/reconcile/pod-row.ts';
import { makeGroup, makePod, noon, running, terminated } from '../../fixtures/pods.ts';
import { absent, accepted, ranOnce, seen } from './rendered.ts';
import type { Story } from './rendered.ts';

const limited = makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status });
const runs = seen(makeGroup('Running', running(1)));
const over = makePod({ status: { ...ranOnce.status, phase: 'Failed' } });
const isOver = seen(makeGroup('Failed', terminated(3)));
const freed = { ...accepted, settled: true, freeing: true };
const trying = (since: number): { readonly keptLog: KeptLog } => ({ keptLog: { kind: 'trying', since } });
const failed = (fault: Fault): Pick<Story, 'seen'> => ({
  seen: { outcome: { kind: 'failed', call: 'keep-log', fault } },
});
const busy: Fault = { kind: 'throttled', retryAfterMs: 7_000, message: 'too many reads' };
const away: Fault = { kind: 'transient', message: 'Blob storage answered 500' };
const nowhere: Fault = { kind: 'rejected', code: 'NoBlobStorage', message: 'no place' };

/** What becomes of the log of a group that goes before its pod. */
const falling: Pod = {
  ...makePod(),
  rawSpec: { containers: [{ name: 'main', terminationMessagePolicy: 'FallbackToLogsOnError' }] },
};

export const logStories: readonly Story[] = [
  // The end of a log as the termination message
  {
    it: 'a container that failed has the end of its log read first, where its policy asks for it',
    pod: falling,
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(3))),
    says: 'end-of-log-unread: read-log-tails → again',
  },
  {
    it: 'and then it is reported with that',
    pod: falling,
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(3))),
    seen: { logTails: new Map([['main', 'boom']]) },
    says: 'finished: create-event(Started), patch-status(Failed) → idle, settled',
  },
  {
    it: 'or without, where nothing could be read',
    pod: falling,
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(3))),
    seen: { logTails: new Map() },
    says: 'finished: create-event(Started), patch-status(Failed) → idle, settled',
  },
  {
    it: 'a log that is kept is not read again',
    pod: limited,
    row: { ...accepted, keptLog: { kind: 'kept' } },
    sight: runs,
    says: 'deadline-stop: patch-status(Running), create-event(DeadlineExceeded), stop-group → again, stopping',
  },
  {
    it: 'a group that is only being made has a log where an init container has run',
    pod: makePod({
      spec: { activeDeadlineSeconds: 5 },
      status: { phase: 'Pending', startTime: ranOnce.status.startTime ?? '' },
    }),
    row: accepted,
    sight: seen(makeGroup('Pending', running(1))),
    says: 'deadline-delete: save-row(keptLog), keep-log, save-row(keptLog), create-event(DeadlineExceeded), save-row(accepted), delete-group → again, deleting',
  },
  {
    it: 'the log of a group that somebody stopped is kept as far as ACI has it, after the status',
    pod: ranOnce,
    row: accepted,
    sight: seen(makeGroup('Stopped')),
    says: 'stopped-by-somebody: patch-status(Failed), create-event(ContainerGroupLost), save-row(keptLog), keep-log, save-row(keptLog), save-row(accepted), delete-group → idle, settled, deleting',
  },
  {
    it: 'an end waits while its log can not be kept',
    pod: limited,
    row: { ...accepted, ...trying(noon + 10_000) },
    sight: runs,
    ...failed(away),
    says: 'log-not-kept:  → in 5 s, after transient',
  },
  {
    it: 'as long as the logs’ budget asks',
    pod: limited,
    row: { ...accepted, ...trying(noon + 10_000) },
    sight: runs,
    ...failed(busy),
    says: 'log-not-kept:  → in 7 s, after throttled',
  },
  {
    it: 'but no longer than a minute in all',
    pod: limited,
    row: { ...accepted, ...trying(noon - 45_000) },
    sight: runs,
    ...failed(busy),
    says: 'log-not-kept:  → in 4.8 s, after throttled',
  },
  {
    it: 'then the group is ended all the same, and it is reported',
    pod: limited,
    row: { ...accepted, ...trying(noon - 50_000) },
    sight: runs,
    says: 'deadline-stop: patch-status(Running), save-row(keptLog), create-event(LogNotKept), create-event(DeadlineExceeded), stop-group → again, stopping',
  },
  {
    it: 'at once where no log can be kept at all',
    pod: limited,
    row: { ...accepted, ...trying(noon + 10_000) },
    sight: runs,
    ...failed(nowhere),
    says: 'log-not-kept: save-row(keptLog), create-event(LogNotKept) → again',
  },
  {
    it: 'and then it is not tried again',
    pod: limited,
    row: { ...accepted, keptLog: { kind: 'given-up' } },
    sight: runs,
    says: 'deadline-stop: patch-status(Running), create-event(DeadlineExceeded), stop-group → again, stopping',
  },
  // Groups whose quota is needed
  {
    it: 'the group of an ended pod goes when its quota is needed, once its log is kept',
    pod: over,
    row: freed,
    sight: isOver,
    says: 'ended-and-needed: save-row(keptLog), keep-log, save-row(keptLog), delete-group → again, deleting',
  },
  {
    it: 'at once where the log is kept already',
    pod: over,
    row: { ...freed, keptLog: { kind: 'kept' } },
    sight: isOver,
    says: 'ended-and-needed: delete-group → again, deleting',
  },
  {
    it: 'it is tried again where it was given up for another end',
    pod: over,
    row: { ...freed, keptLog: { kind: 'given-up' } },
    sight: isOver,
    says: 'ended-and-needed: save-row(keptLog), keep-log, save-row(keptLog), delete-group → again, deleting',
  },
  {
    it: 'it stays where its log can not be kept, and that is reported',
    pod: over,
    row: { ...freed, ...trying(noon - 50_000) },
    sight: isOver,
    ...failed(away),
    says: 'log-not-kept: create-event(LogNotKept) → idle, after transient',
  },
  {
    it: 'a group that makes room and whose containers run on is stopped first',
    pod: over,
    row: freed,
    sight: runs,
    says: 'ended-but-running: save-row(keptLog), keep-log, save-row(keptLog), stop-group → again, stopping',
  },
  {
    it: 'a group that made room is remembered as deleted',
    pod: over,
    row: { ...freed, ending: { by: 'delete', at: noon } },
    sight: absent,
    says: 'delete-confirmed: note-row(deleted), note-capacity → again',
  },
  {
    it: 'as is one that somebody else had deleted',
    pod: over,
    row: freed,
    seconds: 31,
    sight: absent,
    says: 'ended:  → idle, settled',
  },
  {
    it: 'the group of an ended pod is known as taken by ARM after the rows were lost',
    pod: over,
    sight: isOver,
    says: 'ended:  → idle, settled',
  },
  {
    it: 'a pod that is deleted meanwhile takes its group along without a log',
    pod: { ...over, metadata: { ...over.metadata, deletionTimestamp: '2026-11-23T12:00:30Z' } },
    row: freed,
    sight: isOver,
    says: 'delete-ended: delete-group → again, deleting',
  },
];
