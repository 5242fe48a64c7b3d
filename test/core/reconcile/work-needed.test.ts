import { describe, expect, it } from 'vitest';
import { newContainerStatus } from '../../../shared/core/status/container-status.ts';
import { newPodRow } from '../../../shared/core/reconcile/pod-row.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { hasOddConditions, isEcho, isNews, markDirty } from '../../../shared/core/reconcile/work-needed.ts';
import { container, podOf } from '../status/builders.ts';

const now = 1_000_000;
const rowOf = (over: Partial<PodRow>): PodRow => ({
  ...newPodRow({ namespace: 'default', name: 'p', uid: 'u', group: 'g' }),
  ...over,
});

describe('an event of a version of the pod', () => {
  it.each<[string, string, Partial<PodRow>, boolean]>([
    ['that the row was left with says nothing', '7', { version: '7' }, true],
    ['that the row was left with, with a poll later, says nothing', '7', { version: '7', dueAt: now + 1 }, true],
    ['that the row was left with, when a poll is due, is worked on', '7', { version: '7', dueAt: now }, false],
    [
      'that the row was left with, when something else happened, is worked on',
      '7',
      { version: '7', dirty: true },
      false,
    ],
    ['that is another, older or newer, is worked on', '8', { version: '7' }, false],
    ['of a row that knows none is worked on', '7', {}, false],
    ['of a pod that is gone is worked on', '', { version: '' }, false],
  ])('%s', (_sentence, version, over, expected) => expect(isEcho(version, rowOf(over), now)).toBe(expected));
});

describe('conditions of a pod whose containers are ready', () => {
  const startedAt = '2026-11-23T12:00:00Z';
  const waiting = newContainerStatus(container('main'), { reason: 'ContainerCreating' });
  const main = { ...waiting, ready: true, state: { kind: 'running', startedAt } } as const;
  const condition = (type: string, status: 'True' | 'False') => ({ type, status, lastTransitionTime: startedAt });
  const isOdd = (ready: 'True' | 'False', gates: readonly string[], ...others: readonly string[]): boolean =>
    hasOddConditions(
      podOf({
        gates,
        status: {
          phase: 'Running',
          containerStatuses: [main],
          conditions: [
            condition('ContainersReady', 'True'),
            condition('Ready', ready),
            ...others.map((type) => condition(type, 'True')),
          ],
        },
      }),
    );
  it.each<[string, boolean, boolean]>([
    ['are odd when the node controller has said that it is not Ready', isOdd('False', []), true],
    ['also where its readiness gates are met', isOdd('False', ['lb/x'], 'lb/x'), true],
    ['are not odd while a gate is not met', isOdd('False', ['lb/x']), false],
    ['are not odd when it is Ready', isOdd('True', ['lb/x'], 'lb/x'), false],
  ])('%s', (_sentence, odd, expected) => expect(odd).toBe(expected));
});

describe('a row that another works on', () => {
  const dirtied = (...versions: readonly string[]): PodRow =>
    versions.reduce((row, version) => ({ ...row, ...markDirty(row, version) }), rowOf({}));

  it.each<[string, readonly string[], Pick<PodRow, 'dirty' | 'dirtyVersions'>]>([
    ['keeps the version that it is reported', ['7'], { dirty: true, dirtyVersions: ['7'] }],
    ['keeps several', ['7', '8', '7'], { dirty: true, dirtyVersions: ['7', '8'] }],
    ['forgets them all when anything may have happened', ['7', '', '8'], { dirty: true, dirtyVersions: [] }],
    ['forgets them all when they are too many', ['1', '2', '3', '4', '5'], { dirty: true, dirtyVersions: [] }],
  ])('%s', (_sentence, versions, expected) => expect(dirtied(...versions)).toMatchObject(expected));

  it('is not written again for what it says already', () => {
    expect(markDirty(dirtied('7'), '7')).toBeUndefined();
    expect(markDirty(dirtied(''), '9')).toBeUndefined();
    // A row of a version of the app that kept none.
    expect(markDirty(rowOf({ dirty: true }), '9')).toBeUndefined();
  });

  it.each<[string, PodRow, readonly string[], boolean]>([
    ['was reported what the worker wrote itself', dirtied('7'), ['6', '7'], false],
    ['was reported one more', dirtied('7', '8'), ['6', '7'], true],
    ['was reported that anything may have happened', dirtied('7', ''), ['6', '7'], true],
    ['was reported nothing', rowOf({}), [], false],
  ])('%s: news %#', (_sentence, row, known, expected) => expect(isNews(row, new Set(known))).toBe(expected));
});
