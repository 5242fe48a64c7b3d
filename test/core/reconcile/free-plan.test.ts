import { describe, expect, it } from 'vitest';
import { planFreeing } from '../../../shared/core/reconcile/free-plan.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { makePod, makeRow, noon } from '../../fixtures/pods.ts';

const row = (uid: string, changes: Partial<PodRow> = {}) => ({ value: { ...makeRow(makePod(), changes), uid } });
const ended = (uid: string, endedAt: number, changes: Partial<PodRow> = {}) =>
  row(uid, {
    intent: { kind: 'accepted', at: noon },
    settled: true,
    usage: { cpu: 1, memoryInGB: 1, endedAt, earlier: [] },
    ...changes,
  });
const waiting = (uid: string) => row(uid, { fault: { reason: 'ProviderCapacity', message: '' } });
const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const plan = (rows: readonly { readonly value: PodRow }[]): readonly string[] =>
  planFreeing(rows, { uid: 'asked', now: noon }).map(({ value }) => value.uid);

describe('which groups of ended pods make room', () => {
  const three = [ended('c', 3), ended('a', 1), ended('b', 2)];

  it('one for the pod that was refused, the oldest end', () => expect(plan([row('asked'), ...three])).toEqual(['a']));

  it('one for each that waits', () => expect(plan([waiting('asked'), waiting('w'), ...three])).toEqual(['a', 'b']));

  it('none beside those that are on their way', () =>
    expect(plan([waiting('asked'), waiting('w'), ended('x', 0, { freeing: true }), ...three])).toEqual(['a']));

  it('never more than eight at once', () =>
    expect(
      plan([row('asked'), ...many(20, (at) => waiting(`w${String(at)}`)), ...many(20, (at) => ended(String(at), at))]),
    ).toHaveLength(8));

  it('last those whose log could not be kept', () =>
    expect(plan([waiting('asked'), waiting('w'), ended('x', 0, { keptLog: { kind: 'given-up' } }), ...three])).toEqual([
      'a',
      'b',
    ]));

  it.each<[string, Partial<PodRow>]>([
    ['lives', { settled: false }],
    ['is worked on', { dueAt: noon }],
    ['is another instance’s', { lock: { owner: 'other', until: noon + 1 } }],
    ['never had a group', { intent: { kind: 'refused', at: noon } }],
    ['has none any more', { intent: { kind: 'deleted', at: noon } }],
  ])('none of a pod that %s', (_, changes) => expect(plan([row('asked'), ended('x', 0, changes)])).toEqual([]));
});
