import { describe, expect, it } from 'vitest';
import type { GroupObservation, InstanceView } from '../../../shared/core/group/group.ts';
import type { Intent } from '../../../shared/core/reconcile/pod-row.ts';
import { usageOfPoll, usageOfNewGroup, usageOfRow } from '../../../shared/core/usage/usage.ts';
import type { PodUsage } from '../../../shared/core/usage/pod-usage.ts';
import { at, container, makeGroup, makePod, makeRow, noon, running, terminated } from '../../fixtures/pods.ts';

const node = { cluster: 'c', node: 'aci-1' };
const pod = makePod({
  metadata: {
    ownerReferences: [
      { kind: 'Other', name: 'not-its-controller', uid: 'o', controller: false },
      { kind: 'Job', name: 'nightly', uid: 'j', controller: true },
    ],
  },
  spec: { containers: [{ ...container(), resources: { requests: { cpu: '1500m', memory: '2Gi' }, limits: {} } }] },
});
const s = (second: number): number => noon + second * 1000;
const accepted: Intent = { kind: 'accepted', at: s(2) };

/** One look after the other at the given seconds, then the spans of the row in seconds after noon. */
function spans(
  looks: readonly (readonly [second: number, group: GroupObservation])[],
  end: { readonly intent?: Intent; readonly now: number },
  before?: PodUsage,
): readonly (readonly [number, number])[] {
  let usage = before;
  for (const [second, group] of looks) usage = usageOfPoll(usage, pod, { group, now: s(second) });
  const row = makeRow(pod, { intent: end.intent ?? accepted, usage });
  return usageOfRow(node, row, s(end.now)).map((record) => [
    (record.startedAt - noon) / 1000,
    (record.endedAt - noon) / 1000,
  ]);
}

const pulling = (second: number): InstanceView => ({
  restartCount: 0,
  currentState: { state: 'Waiting', detailStatus: '' },
  events: [
    { name: 'Pulling', message: '', type: 'Normal', count: 1, firstTimestamp: at(second), lastTimestamp: at(second) },
  ],
});
const deletedAt = (second: number): Intent => ({ kind: 'deleted', at: s(second) });
const fresh = usageOfNewGroup(makeRow(pod), pod, s(1));

describe('what a pod used', () => {
  it('is of its controller, with what its group requests', () => {
    const [record] = usageOfRow(node, makeRow(pod, { intent: accepted, usage: fresh }), s(60));
    expect(record).toEqual({
      ...node,
      namespace: 'default',
      name: 'p',
      uid: pod.metadata.uid,
      owner: { kind: 'Job', name: 'nightly' },
      cpu: 1.5,
      memoryInGB: 2.2,
      startedAt: s(2),
      endedAt: s(60),
    });
  });

  it.each<[string, readonly [number, GroupObservation][], { intent?: Intent; now: number }, [number, number][]]>([
    ['the acceptance to now while nothing was seen', [], { now: 9 }, [[2, 9]]],
    [
      'the first pull to now while it runs',
      [
        [6, makeGroup('Pending', pulling(4))],
        [20, makeGroup('Running', running(8))],
      ],
      { now: 30 },
      [[4, 30]],
    ],
    ['the start where no pull is reported', [[20, makeGroup('Running', running(8))]], { now: 30 }, [[8, 30]]],
    [
      'the last end, whenever it was seen',
      [[60, makeGroup('Succeeded', terminated(0, { from: 8, to: 40 }))]],
      { now: 900 },
      [[8, 40]],
    ],
    [
      'the last end, though the group went much later',
      [[60, makeGroup('Failed', terminated(3, { from: 8, to: 40 }))]],
      { intent: deletedAt(500), now: 900 },
      [[8, 40]],
    ],
    [
      'the first sight of a stopped group',
      [
        [20, makeGroup('Running', running(8))],
        [50, makeGroup('Stopped')],
        [70, makeGroup('Stopped')],
      ],
      { intent: deletedAt(80), now: 900 },
      [[8, 50]],
    ],
    [
      'the confirmed end of a group that was deleted while it ran',
      [[20, makeGroup('Running', running(8))]],
      { intent: deletedAt(44), now: 900 },
      [[8, 44]],
    ],
    [
      'now, when what had ended runs again',
      [
        [20, makeGroup('Failed', terminated(1, { from: 8, to: 15 }))],
        [30, makeGroup('Running', running(25))],
      ],
      { now: 40 },
      [[8, 40]],
    ],
    [
      'the pull of an image that never came',
      [
        [5, makeGroup('Pending', pulling(4))],
        [60, makeGroup('Pending', pulling(4), { provisioningState: 'Failed' })],
      ],
      { intent: deletedAt(70), now: 900 },
      [[4, 60]],
    ],
    [
      'nothing for a group that never started',
      [[60, makeGroup('Pending', undefined, { provisioningState: 'Failed' })]],
      { intent: deletedAt(70), now: 900 },
      [],
    ],
    ['nothing for a group that was deleted before it was seen to start', [], { intent: deletedAt(5), now: 9 }, []],
    ['nothing before the group is accepted', [], { intent: { kind: 'open', at: s(1) }, now: 9 }, []],
    ['nothing for a refused group', [], { intent: { kind: 'refused', at: s(1) }, now: 9 }, []],
  ])('is from and to: %s', (_, looks, end, expected) => {
    expect(spans(looks, end, fresh)).toEqual(expected);
  });

  it('is each group’s own span where there were several', () => {
    const first = usageOfPoll(fresh, pod, { group: makeGroup('Running', running(8)), now: s(20) });
    const second = usageOfNewGroup(makeRow(pod, { intent: deletedAt(40), usage: first }), pod, s(60));
    expect(spans([[80, makeGroup('Running', running(70))]], { now: 90 }, second)).toEqual([
      [8, 40],
      [70, 90],
    ]);
    expect(spans([], { intent: { kind: 'refused', at: s(61) }, now: 90 }, second)).toEqual([[8, 40]]);
  });

  it('stays small and complete with many groups', () => {
    let usage: PodUsage | undefined = fresh;
    for (let round = 0; round < 30; round += 1) {
      const view = running(round * 100);
      usage = usageOfPoll(usage, pod, { group: makeGroup('Running', view), now: s(round * 100 + 5) });
      usage = usageOfNewGroup(makeRow(pod, { intent: deletedAt(round * 100 + 10), usage }), pod, s(round * 100 + 20));
    }
    const all = spans([], { intent: { kind: 'refused', at: s(1) }, now: 4000 }, usage);
    expect(all.length).toBeLessThan(10);
    expect(all.reduce((sum, [start, end]) => sum + end - start, 0)).toBe(300);
  });

  it('is unknown of a row that kept nothing, and known from the next poll', () => {
    expect(usageOfRow(node, makeRow(pod, { intent: accepted }), s(60))).toEqual([]);
    expect(spans([[20, makeGroup('Running', running(8))]], { now: 30 })).toEqual([[8, 30]]);
    expect(usageOfPoll(undefined, undefined, { group: makeGroup('Running', running(8)), now: s(20) })).toBeUndefined();
  });

  it('is the same object when a poll says nothing new', () => {
    const group = makeGroup('Running', running(8));
    const usage = usageOfPoll(fresh, pod, { group, now: s(20) });
    expect(usageOfPoll(usage, pod, { group, now: s(50) })).toBe(usage);
  });
});
