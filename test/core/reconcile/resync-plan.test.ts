import { describe, expect, it } from 'vitest';
import { groupTags } from '../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { newNodeRow } from '../../../shared/core/reconcile/node-row.ts';
import { countPlan, judgeOrphans } from '../../../shared/core/reconcile/orphans.ts';
import type { OrphanCount } from '../../../shared/core/reconcile/orphans.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { planResync } from '../../../shared/core/reconcile/resync-plan.ts';
import type { ResyncInput } from '../../../shared/core/reconcile/resync-plan.ts';
import { resyncScopes } from '../../../shared/core/reconcile/resync-scope.ts';
import { timing } from '../../../shared/core/reconcile/timing.ts';
import { makePod, makeRow, noon } from '../../fixtures/pods.ts';

const node = { cluster: 'c-1', node: 'aci-1' };
const podOf = (uid: string): Pod => makePod({ metadata: { uid, name: uid } });
const rowOf = (uid: string, changes: Partial<PodRow> = {}): PodRow => makeRow(podOf(uid), changes);
const groupOf = (uid: string, home: Partial<typeof node> = {}): ListedGroup => ({
  name: `g-${uid}`,
  tags: groupTags({ installation: 'sk', ...node, ...home, namespace: 'default', name: uid, uid }, 'h'),
  provisioningState: 'Succeeded',
  cpu: 1,
});

function plan(input: Partial<ResyncInput>) {
  const { due, unexplained } = planResync({
    node,
    installation: 'sk',
    now: noon,
    groups: [],
    pods: [],
    rows: [],
    orphans: {},
    ...input,
  });
  return { due: due.map(({ uid }) => uid), unexplained: unexplained.map(({ owner, since }) => [owner.uid, since]) };
}

describe('a resync of one node', () => {
  it.each([
    { why: 'deleting', row: { lastSeen: 'deleting' as const } },
    { why: 'terminal', row: { lastSeen: 'terminal' as const } },
    { why: 'settled', row: { settled: true } },
    { why: 'released', row: { orphan: { state: 'released' as const, since: noon } } },
  ])('a pod that is gone is due at once when it was seen so: $why', ({ row }) => {
    expect(plan({ groups: [groupOf('a')], rows: [rowOf('a', row)] })).toEqual({ due: ['a'], unexplained: [] });
  });

  it.each([
    { why: 'alive', row: { lastSeen: 'alive' as const } },
    { why: 'nothing: a row of a version that did not say', row: {} },
  ])('a row explains nothing where the last that was seen is $why', ({ row }) => {
    expect(plan({ groups: [groupOf('a')], rows: [rowOf('a', row)] })).toEqual({ due: [], unexplained: [['a', noon]] });
  });

  it('a row without a pod and without a group is due, whatever was seen', () => {
    expect(plan({ rows: [rowOf('a', { lastSeen: 'alive' })] })).toEqual({ due: ['a'], unexplained: [] });
  });

  it('without the list of groups it judges no orphan, and lets those wait that wait', () => {
    const rows = [rowOf('a', { orphan: { state: 'held', since: 1 } }), rowOf('b', { lastSeen: 'alive' })];
    expect(plan({ groups: undefined, rows })).toEqual({ due: ['b'], unexplained: [] });
  });

  it('the first sight is the earliest that anybody wrote down', () => {
    const rows = [rowOf('a', { orphan: { state: 'uncounted', since: noon - 7 } }), rowOf('b')];
    const groups = ['a', 'b', 'c'].map((uid) => groupOf(uid));
    expect(plan({ groups, rows, orphans: { 'g-b': noon - 9, 'g-c': noon - 8 } }).unexplained).toEqual([
      ['a', noon - 7],
      ['b', noon - 9],
      ['c', noon - 8],
    ]);
  });

  it('a pod that is back is due, and no orphan', () => {
    const row = rowOf('a', { seen: undefined, orphan: { state: 'held', since: 1 }, dueAt: noon + 9 });
    expect(plan({ groups: [groupOf('a')], pods: [podOf('a')], rows: [row] })).toEqual({ due: ['a'], unexplained: [] });
  });

  it('groups of other nodes are left to them', () => {
    expect(plan({ groups: [groupOf('a', { node: 'aci-2' }), groupOf('b', { cluster: 'c-2' })] }).unexplained).toEqual(
      [],
    );
  });
});

describe('the orphan brake', () => {
  const judge = (count: number, options: Partial<OrphanCount> = {}, since = noon): string => {
    const orphans = Array.from({ length: count }, (_, index) => ({
      group: `g${index}`,
      owner: { installation: 'sk', ...node, namespace: 'default', name: 'p', uid: `u${index}` },
      since,
    }));
    const { released, held } = judgeOrphans({ now: noon, ownGroups: count, orphans, elsewhere: 0, ...options });
    return `${released.length} go, ${held.length} wait`;
  };

  it.each([
    { it: 'five of five go', says: judge(5), is: '5 go, 0 wait' },
    { it: 'six of six wait', says: judge(6), is: '0 go, 6 wait' },
    { it: 'a fifth goes', says: judge(20, { ownGroups: 100 }), is: '20 go, 0 wait' },
    { it: 'more than a fifth waits', says: judge(21, { ownGroups: 100 }), is: '0 go, 21 wait' },
    { it: 'those of other nodes count', says: judge(4, { elsewhere: 2 }), is: '0 go, 4 wait' },
    {
      it: 'after ten minutes they go',
      says: judge(21, { ownGroups: 100 }, noon - timing.orphanHoldMs),
      is: '21 go, 0 wait',
    },
  ])('$it', ({ says, is }) => expect(says).toBe(is));

  it('comes back soon to be counted, less often while it fails, and when the hold is over', () => {
    const inMs = (state: 'uncounted' | 'held', age: number): number => countPlan({ state, since: noon - age }, noon).ms;
    expect([inMs('uncounted', 0), inMs('uncounted', 20_000), inMs('uncounted', 900_000)]).toEqual([
      3_000, 20_000, 60_000,
    ]);
    expect([inMs('held', 0), inMs('held', 590_000), inMs('held', 600_000)]).toEqual([600_000, 10_000, 60_000]);
  });
});

describe('what it is time for', () => {
  const rowAt = (resyncedAt: number | undefined, relayHeardAt: number | undefined = noon) => ({
    ...newNodeRow(),
    resyncedAt,
    countedAt: resyncedAt,
    relayHeardAt,
  });

  it.each([
    { it: 'the whole at first', rows: [rowAt(undefined)], reason: 'time' as const, is: 'whole' },
    { it: 'nothing in between', rows: [rowAt(noon - 299_000)], reason: 'time' as const, is: 'none' },
    {
      it: 'the pods while the relay is silent',
      rows: [rowAt(noon - 9_000, noon - 45_000)],
      reason: 'time' as const,
      is: 'pods',
    },
    {
      it: 'the whole of all nodes when it is time for one',
      rows: [rowAt(noon - 300_000), rowAt(noon - 200_000)],
      reason: 'time' as const,
      is: 'whole whole',
    },
    {
      it: 'the whole though orphans were counted in between',
      rows: [{ ...rowAt(noon - 300_000), countedAt: noon - 6_000 }],
      reason: 'time' as const,
      is: 'whole',
    },
    {
      it: 'not of one that has just been',
      rows: [rowAt(noon - 300_000), rowAt(noon - 2_000)],
      reason: 'time' as const,
      is: 'whole none',
    },
    { it: 'the whole when the relay has listed', rows: [rowAt(noon)], reason: 'relay' as const, is: 'whole' },
    { it: 'the whole for orphans', rows: [rowAt(noon - 10_000)], reason: 'orphans' as const, is: 'whole' },
    { it: 'not too often', rows: [rowAt(noon - 9_000)], reason: 'orphans' as const, is: 'none' },
  ])('$it', ({ rows, reason, is }) => expect(resyncScopes(rows, reason, noon).join(' ')).toBe(is));
});
