import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { UsageRecord } from '../../core/usage/usage.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { formatRow, parseUsageRecord } from '../../wire/rows.ts';
import * as keys from './keys.ts';
import type { RowReader } from './row-access.ts';
import type { RowTable, RowWrite } from './row-table.ts';

/** As many as one transaction may hold. */
const prunedAtOnce = 100;

/** The ledger: rows that are written once and never changed, beside those of the pods. */
export function createUsageRows(table: RowTable, read: RowReader): Pick<StateStore, 'listUsage' | 'pruneUsage'> {
  return {
    listUsage: async (node, { from, to }) => {
      const rows = await table.query(keys.nodePartition(node), keys.usageFrom(from));
      if (!rows.ok) return rows;
      const records = rows.value.flatMap((row) => {
        const record = read(row, parseUsageRecord);
        return record.ok && record.value !== undefined ? [record.value.value] : [];
      });
      return ok(records.filter((record) => record.endedAt > from && record.startedAt < to));
    },
    pruneUsage: (node, before) => prune(table, keys.nodePartition(node), before),
  };
}

/** The records of a pod's row as writes of one transaction. */
export const usageWrites = (usage: readonly UsageRecord[]): readonly RowWrite[] =>
  usage.map((record, index) => ({
    kind: 'upsert',
    rowKey: keys.usageKey(record.endedAt, record.uid, index),
    text: formatRow(record),
  }));

async function prune(table: RowTable, partition: string, before: number): Promise<Result<number>> {
  const rows = await table.query(partition, { ...keys.usageBefore(before), limit: prunedAtOnce });
  if (!rows.ok) return rows;
  const [first, ...rest] = rows.value.map(({ rowKey }): RowWrite => ({ kind: 'delete', rowKey }));
  if (first === undefined) return ok(0);
  const removed = await table.submit(partition, [first, ...rest]);
  return removed.ok ? ok(rows.value.length) : removed;
}
