import { createHash } from 'node:crypto';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { foreignChange } from '../kubernetes/pod-change.ts';
import { gatesVerdict } from '../status/conditions.ts';
import { isReadinessNews } from '../status/readiness.ts';
import type { ReadinessReport } from '../status/readiness.ts';
import { suffices } from './heard-rule.ts';
import type { LastSeen, PodRow } from './pod-row.ts';

/** Of what an event must change to be worth a reading (rule 16 of docs/architecture.md). */
export const seenKey = ({ metadata, status }: Pod): string =>
  createHash('sha256')
    .update(foreignChange({ ...metadata, conditions: status.conditions }))
    .digest('hex')
    .slice(0, 16);

/** What a row keeps of the pod that was read. One that is there is no orphan, whatever was thought before. */
export const podAsSeen = (pod: Pod): Pick<PodRow, 'seen' | 'version' | 'lastSeen' | 'orphan'> => ({
  seen: seenKey(pod),
  version: knownVersion(pod),
  lastSeen: lastSeen(pod),
  orphan: undefined,
});

function lastSeen(pod: Pod): LastSeen {
  if (isTerminalPhase(pod.status.phase)) return 'terminal';
  return pod.metadata.deletionTimestamp === undefined ? 'alive' : 'deleting';
}

/** An object without a version is never known. */
const knownVersion = ({ metadata }: Pod): string | undefined =>
  metadata.resourceVersion === '' ? undefined : metadata.resourceVersion;

/** Whether an event of this version says what the row was left with, and no time has come: then the pod need not be read. */
export const isEcho = (version: string, row: PodRow, now: number): boolean =>
  version !== '' && version === row.version && !row.dirty && (row.dueAt === undefined || row.dueAt > now);

const mostDirtyVersions = 4;

/** The row with the mark that something happened while another works on the pod; undefined: it says so already. */
export function markDirty(row: PodRow, version: string): Pick<PodRow, 'dirty' | 'dirtyVersions'> | undefined {
  const isAnything = row.dirty && row.dirtyVersions.length === 0;
  if (isAnything || (row.dirty && row.dirtyVersions.includes(version))) return undefined;
  return version === '' || row.dirtyVersions.length >= mostDirtyVersions
    ? { dirty: true, dirtyVersions: [] }
    : { dirty: true, dirtyVersions: [...row.dirtyVersions, version] };
}

/** Whether what made the row dirty is news to one who has read or written these versions of the pod. */
export const isNews = ({ dirty, dirtyVersions }: PodRow, known: ReadonlySet<string>): boolean =>
  dirty && (dirtyVersions.length === 0 || dirtyVersions.some((version) => !known.has(version)));

/** What a call brings beside the pod and its row. */
export interface News {
  /** Of the relay's readiness probes. */
  readonly reports?: readonly ReadinessReport[] | undefined;
  /** The row has words of an agent that the status lacks. */
  readonly isHeard?: boolean;
}

export type WorkNeeded = 'nothing' | 'correct-conditions' | 'full';

/** Whether the pod and its row ask for work now. Our own status patches come back as events and ask for none. */
export function workNeeded(
  pod: Pod | undefined,
  row: PodRow,
  now: number,
  { reports = [], isHeard = false }: News = {},
): WorkNeeded {
  if (pod === undefined) return 'full';
  if (row.seen !== seenKey(pod)) return 'full';
  if (row.dueAt !== undefined && row.dueAt <= now) return 'full';
  if (isTerminalPhase(pod.status.phase)) return row.settled ? 'nothing' : 'full';
  if (isHeard) return suffices(pod, row) ? 'correct-conditions' : 'full';
  return hasOddConditions(pod) || isReadinessNews(pod, reports) ? 'correct-conditions' : 'nothing';
}

/** The node controller sets Ready=False on every pod of a node that was late; nobody but the kubelet sets it back. */
export function hasOddConditions(pod: Pod): boolean {
  const statuses = pod.status.containerStatuses;
  if (pod.status.phase !== 'Running' || statuses.length === 0) return false;
  const containersReady = statuses.every((status) => status.ready);
  const said = (type: string): boolean =>
    pod.status.conditions.some((condition) => condition.type === type && condition.status === 'True');
  return containersReady && (!said('ContainersReady') || (!said('Ready') && gatesVerdict(pod).status === 'True'));
}
