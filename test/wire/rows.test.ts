import { describe, expect, it } from 'vitest';
import { isExplained } from '../../shared/core/reconcile/orphans.ts';
import { newNodeRow } from '../../shared/core/reconcile/node-row.ts';
import { newPodRow } from '../../shared/core/reconcile/pod-row.ts';
import { formatRow, parseNodeRow, parsePodRow } from '../../shared/wire/rows.ts';

const pod = newPodRow({ namespace: 'default', name: 'p', uid: 'u', group: 'g' });

/** As a version wrote it that knew no such fields. */
function older(text: string, ...fields: readonly string[]): string {
  const json: unknown = JSON.parse(text);
  return JSON.stringify(json, (key: string, value: unknown) => (fields.includes(key) ? undefined : value));
}

describe('rows of an older version', () => {
  it('a pod row says nothing of what was seen of the pod, and so explains nothing', () => {
    const text = older(
      formatRow({ ...pod, lastSeen: 'deleting', orphan: { state: 'held', since: 1 } }),
      'lastSeen',
      'orphan',
    );
    const parsed = parsePodRow(text);
    expect(parsed).toEqual({ kind: 'row', value: pod });
    expect(parsed.kind === 'row' && isExplained(parsed.value)).toBe(false);
  });

  it('a node row has never counted, and knows of no ended groups', () => {
    const usage = {
      readAt: 4,
      coresFree: 7.5,
      groupsFree: 3,
      ownCores: 2,
      ownGroups: 1,
      endedCores: 3,
      endedGroups: 2,
    };
    const row = { ...newNodeRow(), resyncedAt: 7, countedAt: 8, usage };
    expect(parseNodeRow(older(formatRow(row), 'countedAt', 'endedCores', 'endedGroups'))).toEqual({
      kind: 'row',
      value: { ...row, countedAt: undefined, usage: { ...usage, endedCores: 0, endedGroups: 0 } },
    });
  });
});

describe('rows of this version', () => {
  it('are read as they were written', () => {
    const row = { ...pod, lastSeen: 'terminal' as const, orphan: { state: 'released' as const, since: 5 } };
    expect(parsePodRow(formatRow(row))).toEqual({ kind: 'row', value: row });
  });
});
