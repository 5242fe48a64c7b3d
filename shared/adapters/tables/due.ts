import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { PodRow } from '../../core/reconcile/pod-row.ts';
import type { DuePod, Versioned } from '../../ports/state-store.ts';
import { parsePodRow } from '../../wire/rows.ts';
import type { ReadRow } from './joint-reads.ts';
import * as keys from './keys.ts';
import type { RowReader } from './row-access.ts';
import type { RowTable } from './row-table.ts';

/**
 * Due keys up to `until`, oldest first, with their rows. A key whose pod row is missing or due at another time is left over
 * from a crash: it is removed, unless it was written anew meanwhile, and not answered. One whose row can't be read now
 * is answered, since one failing read of many must not hold up all who are due.
 */
export async function listDue(
  { table, readRow, read }: DueReader,
  partition: string,
  request: { readonly until: number; readonly limit: number },
): Promise<Result<readonly DuePod[]>> {
  if (request.limit < 1) return ok([]);
  const found = await table.query(partition, { ...keys.dueUntil(request.until), limit: request.limit });
  if (!found.ok) return found;
  const checked = await Promise.all(
    found.value.map(async (due): Promise<DuePod | undefined> => {
      const uid = keys.parseDueKey(due.rowKey)?.uid;
      if (uid !== undefined) {
        const pod = await readRow(partition, keys.podRowKey(uid));
        if (!pod.ok) return { uid, row: undefined };
        if (pod.value?.due === due.rowKey) return { uid, row: rowOf(read(pod.value, parsePodRow)) };
      }
      await table.remove(partition, due.rowKey, due.etag);
      return undefined;
    }),
  );
  return ok(checked.filter((one) => one !== undefined));
}

interface DueReader {
  readonly table: RowTable;
  readonly readRow: ReadRow;
  readonly read: RowReader;
}

/** A newer version's row is that version's business, and garbage nobody's: whoever wants it reads it by itself. */
const rowOf = (row: Result<Versioned<PodRow> | undefined>): Versioned<PodRow> | undefined =>
  row.ok ? row.value : undefined;

export async function findNextDue(table: RowTable, partition: string): Promise<Result<number | undefined>> {
  const found = await table.query(partition, { ...keys.allDue, limit: 1 });
  if (!found.ok) return found;
  const first = found.value[0];
  return ok(first === undefined ? undefined : keys.parseDueKey(first.rowKey)?.dueAt);
}

/** How many keys are up to `until`, those that a crash has left behind included: they are few. */
export async function countDue(table: RowTable, partition: string, until: number): Promise<Result<number>> {
  const found = await table.query(partition, keys.dueUntil(until));
  return found.ok ? ok(found.value.length) : found;
}
