import { describe, expect, it } from 'vitest';
import { decide, needsLook } from '../../../shared/core/reconcile/decide.ts';
import type { GroupSight, Observed, ReconcilePolicy } from '../../../shared/core/reconcile/observed.ts';
import type { GroupObservation } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { at, makeGroup, makePod, makeRow, noon, running, terminated } from '../../fixtures/pods.ts';

const policy: ReconcilePolicy = {
  hostIP: '10.0.0.1',
  bornAt: noon - 3_600_000,
  nodeState: 'active',
  endingPods: 0,
  capacityFailAfterMs: 0,
  random: 0.5,
};
const accepted: Partial<PodRow> = { intent: { kind: 'accepted', at: noon } };
const seen = (group: GroupObservation): GroupSight => ({ kind: 'seen', group });
const absent: GroupSight = { kind: 'absent' };

interface Story {
  readonly it: string;
  readonly pod?: Pod;
  readonly row?: Partial<PodRow>;
  readonly sight: GroupSight;
  readonly seconds?: number;
  readonly policy?: Partial<ReconcilePolicy>;
  /** `reason: effects → next` */
  readonly says: string;
}

function told(story: Story): string {
  const pod = story.pod;
  const observed: Observed = {
    now: noon + (story.seconds ?? 10) * 1000,
    pod,
    row: makeRow(pod ?? makePod(), story.row),
    sight: story.sight,
    policy: { ...policy, ...story.policy },
  };
  const decision = decide(observed);
  const effects = decision.effects.map((effect) =>
    effect.kind === 'patch-status' ? `${effect.kind}(${effect.status.phase})` : effect.kind,
  );
  return `${decision.reason}: ${effects.join(', ')} → ${decision.next.kind}${decision.row.settled === true ? ', settled' : ''}`;
}

const deleting = { deletionTimestamp: at(30), deletionGracePeriodSeconds: 30 };
const ranOnce = makePod({
  status: {
    phase: 'Running',
    startTime: at(0),
    containerStatuses: [
      {
        name: 'main',
        image: 'busybox:1.36',
        imageID: '',
        ready: true,
        restartCount: 0,
        state: { kind: 'running', startedAt: at(1) },
      },
    ],
  },
});
const always = makePod({ spec: { restartPolicy: 'Always' }, status: ranOnce.status });

const stories: readonly Story[] = [
  // A pod that is to run (rule 2)
  { it: 'a new pod gets a group', pod: makePod(), sight: absent, says: 'create: create-group → in' },
  {
    it: 'an open intent waits until the PUT can no longer land',
    pod: makePod(),
    row: { intent: { kind: 'open', at: noon } },
    sight: absent,
    says: 'put-may-be-in-flight:  → in',
  },
  {
    it: 'an open intent of a minute ago and a 404 PUT again',
    pod: makePod(),
    row: { intent: { kind: 'open', at: noon } },
    seconds: 61,
    sight: absent,
    says: 'create: create-group → in',
  },
  {
    it: 'nothing is PUT while the tables are young',
    pod: makePod(),
    sight: absent,
    policy: { bornAt: noon },
    says: 'tables-are-young:  → in',
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
    says: 'foreign-group: create-event → in',
  },
  {
    it: 'a group that is there is adopted and reported',
    pod: makePod(),
    sight: seen(makeGroup('Running', running(1))),
    says: 'running: patch-status(Running) → in',
  },
  {
    it: 'a group that ended is reported and the pod settles',
    pod: makePod(),
    row: accepted,
    sight: seen(makeGroup('Failed', terminated(3))),
    says: 'finished: patch-status(Failed) → idle, settled',
  },
  // Lost groups
  {
    it: 'the first 404 of an accepted group only starts the clock',
    pod: ranOnce,
    row: accepted,
    seconds: 100,
    sight: absent,
    says: 'group-not-found:  → in',
  },
  {
    it: 'the second 404 makes it lost; Never is Failed',
    pod: ranOnce,
    row: { ...accepted, absentSince: noon + 80_000 },
    seconds: 100,
    sight: absent,
    says: 'group-lost: patch-status(Failed), create-event → idle, settled',
  },
  {
    it: 'Always gets a new group after a loss',
    pod: always,
    row: { ...accepted, absentSince: noon + 80_000 },
    seconds: 100,
    sight: absent,
    says: 'group-lost: patch-status(Running), create-event → again',
  },
  {
    it: 'a pod that has run counts as accepted when the rows were lost',
    pod: ranOnce,
    seconds: 100,
    sight: absent,
    says: 'group-not-found:  → in',
  },
  {
    it: 'a group that we are replacing is no loss',
    pod: makePod(),
    row: { intent: { kind: 'accepted', at: noon, replacing: true } },
    sight: absent,
    says: 'create: create-group → in',
  },
  // Deadlines
  {
    it: 'a pod past activeDeadlineSeconds is stopped first',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'deadline-stop: patch-status(Running), create-event, stop-group → again',
  },
  {
    it: 'and then Failed',
    pod: makePod({ spec: { activeDeadlineSeconds: 5 }, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Stopped')),
    says: 'deadline: create-event, patch-status(Failed) → idle, settled',
  },
  {
    it: 'a pod that ended before its deadline keeps its own end, however late the look',
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
    says: 'deadline: create-event, patch-status(Failed) → idle, settled',
  },
  // Graceful delete (rule 6)
  {
    it: 'a running pod that is deleted is stopped',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'stop: create-event, stop-group → again',
  },
  {
    it: 'a stopped group gives the terminal status, then goes',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    sight: seen(makeGroup('Stopped')),
    says: 'delete-ended: patch-status(Failed), delete-group → again',
  },
  {
    it: 'a group that is not provisioned goes without stop',
    pod: makePod({ metadata: deleting }),
    row: accepted,
    sight: seen(makeGroup('Pending')),
    says: 'delete-unprovisioned: delete-group → again',
  },
  {
    it: 'a deleted pod without a group is released after its terminal status',
    pod: makePod({ metadata: deleting }),
    sight: absent,
    says: 'release-pod: patch-status(Failed), delete-pod → again',
  },
  {
    it: 'a deleted pod whose PUT may be in flight waits',
    pod: makePod({ metadata: deleting }),
    row: { intent: { kind: 'open', at: noon } },
    sight: absent,
    says: 'put-may-be-in-flight:  → in',
  },
  {
    it: 'a stop that never succeeds gives way to DELETE',
    pod: makePod({ metadata: deleting, status: ranOnce.status }),
    row: accepted,
    seconds: 61,
    sight: seen(makeGroup('Running', running(1))),
    says: 'delete-overdue: create-event, delete-group → again',
  },
  // Terminal pods
  {
    it: 'an ended pod whose group still runs ends it',
    pod: makePod({ status: { phase: 'Failed' } }),
    row: accepted,
    sight: seen(makeGroup('Running', running(1))),
    says: 'ended-but-running: stop-group → again',
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
    says: 'ended-but-starting: delete-group → again',
  },
  {
    it: 'an ended pod that is deleted loses its group',
    pod: makePod({ metadata: deleting, status: { phase: 'Succeeded' } }),
    row: accepted,
    sight: seen(makeGroup('Succeeded', terminated(0))),
    says: 'delete-ended: delete-group → again',
  },
  {
    it: 'and is released when the group is gone',
    pod: makePod({ metadata: deleting, status: { phase: 'Succeeded' } }),
    row: { intent: { kind: 'deleted', at: noon } },
    sight: { kind: 'unread' },
    says: 'release-pod: delete-pod → in, settled',
  },
  {
    it: 'a deleted pod whose accepted group ARM does not show yet waits',
    pod: makePod({ metadata: deleting }),
    row: accepted,
    sight: absent,
    says: 'put-may-be-in-flight:  → in',
  },
  {
    it: 'a group that is going is only asked again',
    sight: seen(makeGroup('Running', undefined, { provisioningState: 'Deleting' })),
    says: 'group-is-going:  → in',
  },
  // Absent pods (rule 4)
  {
    it: 'the group of a pod that is gone goes, after the cluster proved to be ours',
    sight: seen(makeGroup('Running', running(1))),
    says: 'orphan-group: verify-cluster, delete-group → again',
  },
  { it: 'a pod that is gone and has no group is forgotten', sight: absent, says: 'nothing-left: forget → idle' },
  {
    it: 'a pod that is gone while its PUT may land is remembered',
    row: { intent: { kind: 'open', at: noon } },
    sight: absent,
    says: 'put-may-be-in-flight:  → in',
  },
];

describe('decide', () => {
  it.each(stories)('$it', (story) => expect(told(story)).toBe(story.says));

  it('harvests a container that ended by itself before stop erases it', () => {
    const pod = makePod({ metadata: deleting, status: ranOnce.status });
    const group = makeGroup('Running', running(1), {
      containers: [
        { name: 'main', image: 'busybox:1.36', instanceView: terminated(7) },
        { name: 'other', image: 'busybox:1.36', instanceView: running(1) },
      ],
    });
    const decision = decide({ now: noon + 10_000, pod, row: makeRow(pod, accepted), sight: seen(group), policy });
    expect(decision.effects.map((effect) => effect.kind)).toEqual(['patch-status', 'create-event', 'stop-group']);
    const [first] = decision.effects;
    expect(
      first?.kind === 'patch-status' && first.status.containerStatuses.find((status) => status.name === 'main')?.state,
    ).toMatchObject({ kind: 'terminated', exitCode: 7 });
  });

  it('tells that a running group keeps the image that it was made with, and shows that one in the status', () => {
    const [main] = makePod().spec.containers;
    const containers = main === undefined ? [] : [{ ...main, image: 'busybox:2' }];
    const pod = makePod({ spec: { containers }, status: ranOnce.status });
    const sight = seen(makeGroup('Running', running(1)));
    const { effects } = decide({ now: noon + 10_000, pod, row: makeRow(pod, accepted), sight, policy });
    const [status, event] = effects;
    expect(status).toMatchObject({ status: { containerStatuses: [{ name: 'main', image: 'busybox:1.36' }] } });
    expect(event).toMatchObject({
      reason: 'ImageNotChanged',
      message:
        'spec.containers[0].image: the group was made with busybox:1.36 and keeps it; delete the pod to run busybox:2',
    });
    expect(effects).toHaveLength(2);
  });

  it('tells that an ephemeral container is not started', () => {
    const pod = { ...makePod({ status: ranOnce.status }), rawSpec: { ephemeralContainers: [{ name: 'debug' }] } };
    const sight = seen(makeGroup('Running', running(1)));
    const { effects } = decide({ now: noon + 10_000, pod, row: makeRow(pod, accepted), sight, policy });
    expect(effects.at(-1)).toMatchObject({
      kind: 'create-event',
      reason: 'FieldWithoutEffect',
      message: expect.stringContaining('spec.ephemeralContainers: a container can not be added'),
    });
  });
});

describe('needsLook', () => {
  const ended = makePod({ status: { phase: 'Succeeded' } });
  it.each([
    { it: 'an ended and settled pod costs no read', pod: ended, row: { settled: true }, look: false },
    { it: 'an ended pod that has not settled is looked at once', pod: ended, row: {}, look: true },
    { it: 'a pod that is gone is looked at', pod: undefined, row: {}, look: true },
    {
      it: 'unless we deleted its group ourselves',
      pod: undefined,
      row: { intent: { kind: 'deleted' as const, at: noon } },
      look: false,
    },
    { it: 'a living pod is looked at', pod: makePod(), row: {}, look: true },
  ])('$it', ({ pod, row, look }) => expect(needsLook({ pod, row: makeRow(pod ?? ended, row) })).toBe(look));
});
