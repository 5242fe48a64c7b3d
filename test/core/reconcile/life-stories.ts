import { at, makeGroup, makePod, noon, running, terminated } from '../../fixtures/pods.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { facts } from '../pod/fixtures.ts';
import { absent, accepted, always, deleting, ranOnce, seen } from './rendered.ts';
import type { Story } from './rendered.ts';

const withImage = (image: string, spec: Partial<Pod['spec']> = {}): Pod =>
  makePod({ spec: { ...spec, containers: makePod().spec.containers.map((container) => ({ ...container, image })) } });

/** With a preStop hook of its container, deleted at noon unless changed. */
const sleeping = (seconds: number, metadata: Partial<Pod['metadata']>): Pod => ({
  ...makePod({ metadata, spec: { restartPolicy: 'Always' }, status: ranOnce.status }),
  rawSpec: { containers: [{ name: 'main', lifecycle: { preStop: { sleep: { seconds } } } }] },
});
const stopping = 'stop: create-event(Killing), stop-group → again, stopping';

/** The lives of pods, decision by decision: `reason: effects → next`. */
export const lifeStories: readonly Story[] = [
  // A pod that is to run (rule 2)
  { it: 'a new pod gets a group', pod: makePod(), sight: absent, says: 'put: open-intent, put-group → again' },
  {
    it: 'an open intent waits until the PUT can no longer land',
    pod: makePod(),
    row: { intent: { kind: 'open', at: noon } },
    sight: absent,
    says: 'put-may-be-in-flight:  → in 50 s',
  },
  {
    it: 'an open intent of a minute ago and a 404 PUT again',
    pod: makePod(),
    row: { intent: { kind: 'open', at: noon } },
    seconds: 61,
    sight: absent,
    says: 'put: open-intent, put-group → again',
  },
  {
    it: 'nothing is PUT while the tables are young',
    pod: makePod(),
    sight: absent,
    policy: { bornAt: noon },
    says: 'tables-are-young:  → in 50 s',
  },
  {
    it: 'a pod whose image can not be named so waits for another one, and costs nothing',
    pod: withImage('BusyBox_UPPER:1.36'),
    sight: absent,
    says: 'image-unusable: create-event(InspectFailed), create-event(Failed), patch-status(Pending) → in 2700 s',
  },
  {
    it: 'as long as its deadline lets it',
    pod: withImage('BusyBox_UPPER:1.36', { activeDeadlineSeconds: 40 }),
    sight: absent,
    says: 'image-unusable: create-event(InspectFailed), create-event(Failed), patch-status(Pending) → in 40 s',
  },
  {
    it: 'so does one whose image may not be pulled',
    pod: { ...makePod(), rawSpec: { containers: [{ name: 'main', imagePullPolicy: 'Never' }] } },
    sight: absent,
    says: 'image-unusable: create-event(ErrImageNeverPull), create-event(Failed), patch-status(Pending) → in 2700 s',
  },
  {
    it: 'nothing is PUT on a removed node',
    pod: makePod(),
    sight: absent,
    policy: { nodeState: 'removed' },
    says: 'node-is-removed:  → idle',
  },
  {
    it: 'a group of another owner is never touched',
    pod: makePod(),
    sight: { kind: 'foreign' },
    says: 'foreign-group: create-event(GroupNameTaken) → in 300 s',
  },
  {
    it: 'a group that is there is adopted and reported',
    pod: makePod(),
    sight: seen(makeGroup('Running', running(1))),
    says: 'running: create-event(Started), patch-status(Running) → in 5 s',
  },
  {
    it: 'a group that ended is reported and the pod settles',
    pod: makePod(),
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(3))),
    says: 'finished: create-event(Started), patch-status(Failed) → idle, settled',
  },
  // Lost groups
  {
    it: 'the first 404 of an accepted group only starts the clock',
    pod: ranOnce,
    row: accepted,
    seconds: 100,
    sight: absent,
    says: 'group-not-found:  → in 10 s',
  },
  {
    it: 'the second 404 makes it lost; Never is Failed',
    pod: ranOnce,
    row: { ...accepted, absentSince: noon + 80_000 },
    seconds: 100,
    sight: absent,
    says: 'group-lost: patch-status(Failed), create-event(ContainerGroupLost) → idle, settled',
  },
  {
    it: 'Always gets a new group after a loss',
    pod: always,
    row: { ...accepted, absentSince: noon + 80_000 },
    seconds: 100,
    sight: absent,
    says: 'group-lost: patch-status(Running), create-event(ContainerGroupLost) → again',
  },
  {
    it: 'a pod that has run counts as accepted when the rows were lost',
    pod: ranOnce,
    seconds: 100,
    sight: absent,
    says: 'group-not-found:  → in 10 s',
  },
  {
    it: 'a group that we are replacing is no loss',
    pod: makePod(),
    row: { intent: { kind: 'accepted', at: noon, replacing: true } },
    sight: absent,
    says: 'delete-confirmed: note-row(deleted), note-capacity → again',
  },
  // Deadlines
  {
    it: 'a pod past activeDeadlineSeconds is stopped first',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'deadline-stop: patch-status(Running), save-row(keptLog), keep-log, save-row(keptLog), create-event(DeadlineExceeded), stop-group → again, stopping',
  },
  {
    it: 'and then Failed',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Stopped')),
    says: 'deadline: create-event(DeadlineExceeded), patch-status(Failed) → idle, settled',
  },
  {
    it: 'a pod that ended before its deadline keeps its own end, however late the poll',
    pod: makePod({ spec: { activeDeadlineSeconds: 6 }, status: ranOnce.status }),
    row: accepted,
    seconds: 100,
    sight: seen(makeGroup('Succeeded', terminated(0))),
    says: 'finished: patch-status(Succeeded) → idle, settled',
  },
  {
    it: 'one that ended after it does not',
    pod: makePod({ spec: { activeDeadlineSeconds: 4 }, status: ranOnce.status }),
    row: accepted,
    seconds: 100,
    sight: seen(makeGroup('Succeeded', terminated(0))),
    says: 'deadline: create-event(DeadlineExceeded), patch-status(Failed) → idle, settled',
  },
  {
    it: 'and nothing is said of its end while the tables are young and show no intent',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status }),
    sight: absent,
    policy: { bornAt: noon },
    says: 'put-may-be-in-flight:  → in 50 s',
  },
  // Graceful delete (rule 6)
  {
    it: 'a running pod that is deleted is stopped',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'stop: create-event(Killing), stop-group → again, stopping',
  },
  {
    it: 'a stopped group gives the terminal status, then goes',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Stopped')),
    says: 'delete-ended: patch-status(Failed), delete-group → again, deleting',
  },
  {
    it: 'a preStop hook that sleeps is waited for',
    pod: sleeping(20, deleting),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'pre-stop-sleep: create-event(Killing) → in 10 s',
  },
  {
    it: 'and then the containers are ended',
    pod: sleeping(20, deleting),
    row: accepted,
    seconds: 20,
    sight: seen(makeGroup('Running', running(1))),
    says: stopping,
  },
  {
    it: 'no longer than the grace period',
    pod: sleeping(600, deleting),
    row: accepted,
    seconds: 30,
    sight: seen(makeGroup('Running', running(1))),
    says: stopping,
  },
  {
    it: 'not at all without one',
    pod: sleeping(20, { deletionTimestamp: at(10), deletionGracePeriodSeconds: 0 }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: stopping,
  },
  {
    it: 'a group that is not provisioned goes without stop',
    pod: makePod({ metadata: deleting }),
    row: accepted,
    sight: seen(makeGroup('Pending')),
    says: 'delete-unprovisioned: delete-group → again, deleting',
  },
  {
    it: 'a deleted pod is not released while the tables are young: a PUT of before may still land',
    pod: makePod({ metadata: deleting }),
    sight: absent,
    policy: { bornAt: noon },
    says: 'put-may-be-in-flight:  → in 50 s',
  },
  {
    it: 'a deleted pod without a group is released after its terminal status',
    pod: makePod({ metadata: deleting }),
    sight: absent,
    says: 'release-pod: patch-status(Failed), delete-pod → backoff, settled',
  },
  {
    it: 'a deleted pod whose PUT may be in flight waits',
    pod: makePod({ metadata: deleting }),
    row: { intent: { kind: 'open', at: noon } },
    sight: absent,
    says: 'put-may-be-in-flight:  → in 50 s',
  },
  {
    it: 'a stop that never succeeds gives way to DELETE',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    seconds: 61,
    sight: seen(makeGroup('Running', running(1))),
    says: 'delete-overdue: create-event(Killing), delete-group → again, deleting',
  },
  // Terminal pods
  {
    it: 'an ended pod whose group still runs ends it',
    pod: makePod({ status: { phase: 'Failed' } }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'ended-but-running: save-row(keptLog), keep-log, save-row(keptLog), stop-group → again, stopping',
  },
  {
    it: 'an ended pod keeps its ended group for the logs',
    pod: makePod({ status: { phase: 'Succeeded' } }),
    row: accepted,
    sight: seen(makeGroup('Succeeded', terminated(0))),
    says: 'ended:  → idle, settled',
  },
  {
    it: 'an ended pod keeps a group that ARM still calls Creating when all in it has ended: its logs are in it',
    pod: makePod({ status: { phase: 'Failed' } }),
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(3), { provisioningState: 'Creating' })),
    says: 'ended:  → idle, settled',
  },
  {
    it: 'an ended pod keeps a group whose state lags behind its containers',
    pod: makePod({ status: { phase: 'Succeeded' } }),
    row: accepted,
    sight: seen(makeGroup('Running', terminated(0))),
    says: 'ended:  → idle, settled',
  },
  {
    it: 'an ended pod whose group still starts ends it',
    pod: makePod({ status: { phase: 'Failed' } }),
    row: accepted,
    sight: seen(makeGroup('Pending')),
    says: 'ended-but-starting: delete-group → again, deleting',
  },
  {
    it: 'an ended pod that is deleted loses its group',
    pod: makePod({ metadata: deleting, status: { phase: 'Succeeded' } }),
    row: accepted,
    sight: seen(makeGroup('Succeeded', terminated(0))),
    says: 'delete-ended: delete-group → again, deleting',
  },
  {
    it: 'and is released when the group is gone',
    pod: makePod({ metadata: deleting, status: { phase: 'Succeeded' } }),
    row: { intent: { kind: 'deleted', at: noon } },
    sight: { kind: 'unread' },
    says: 'release-pod: delete-pod → backoff, settled',
  },
  {
    it: 'a deleted pod whose accepted group ARM does not show yet waits',
    pod: makePod({ metadata: deleting }),
    row: accepted,
    sight: absent,
    says: 'put-may-be-in-flight:  → in 20 s',
  },
  {
    it: 'a group that is going is only asked again',
    sight: seen(makeGroup('Running', undefined, { provisioningState: 'Deleting' })),
    says: 'group-is-going:  → in 2 s',
  },
  // Absent pods
  ...[{}, { lastSeen: 'alive' as const }, { orphan: { state: 'held' as const, since: noon } }].map((row) => ({
    it: `the group of a pod that is gone unexplained waits for a resync (${JSON.stringify(row)})`,
    row,
    sight: seen(makeGroup('Running', running(1))),
    seen: { clusterUid: facts.cluster },
    says: `orphan-unexplained:  → in ${'orphan' in row ? '590' : '3'} s`,
  })),
  ...[{ lastSeen: 'deleting' as const }, { lastSeen: 'terminal' as const }, { settled: true }].map((row) => ({
    it: `the group of a pod that was seen to go goes at once (${JSON.stringify(row)})`,
    row,
    sight: seen(makeGroup('Running', running(1))),
    seen: { clusterUid: facts.cluster },
    says: 'orphan-group: delete-group → again, deleting',
  })),
  {
    it: 'so does one that a resync has let go',
    row: { lastSeen: 'alive', orphan: { state: 'released', since: noon } },
    sight: seen(makeGroup('Running', running(1))),
    seen: { clusterUid: facts.cluster },
    says: 'orphan-group: delete-group → again, deleting',
  },
  {
    it: 'after the cluster proved to be ours',
    row: { lastSeen: 'deleting' },
    sight: seen(makeGroup('Running', running(1))),
    says: 'orphan-group-cluster: read-cluster-uid → again',
  },
  {
    it: 'a cluster that was made anew under the same address loses no group',
    row: { lastSeen: 'deleting' },
    sight: seen(makeGroup('Running', running(1))),
    seen: { clusterUid: 'another' },
    says: 'cluster-replaced:  → in 300 s',
  },
  { it: 'a pod that is gone and has no group is forgotten', sight: absent, says: 'nothing-left: forget → idle' },
  {
    it: 'a pod that is gone while its PUT may land is remembered',
    row: { intent: { kind: 'open', at: noon } },
    sight: absent,
    says: 'put-may-be-in-flight:  → in 50 s',
  },
];
