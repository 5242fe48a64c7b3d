import { ok, type Result } from '../../core/fault.ts';
import * as keys from './keys.ts';
import type { Row, RowTable } from './row-table.ts';

const parallelReads = 16;

/**
 * UIDs of due keys up to `until`, oldest first. A key whose pod row is missing or due at another time is left over from
 * a crash: it is removed, unless it was written anew meanwhile, and not answered. One whose row can't be read now is
 * answered, since one failing read of many must not hold up all who are due.
 */
export async function listDue(
  table: RowTable,
  partition: string,
  request: { readonly until: number; readonly limit: number },
): Promise<Result<readonly string[]>> {
  if (request.limit < 1) return ok([]);
  const found = await table.query(partition, { ...keys.dueUntil(request.until), limit: request.limit });
  if (!found.ok) return found;
  const uids: string[] = [];
  for (let start = 0; start < found.value.length; start += parallelReads) {
    const batch = found.value.slice(start, start + parallelReads);
    const checked = await Promise.all(batch.map((due) => checkDue(table, partition, due)));
    uids.push(...checked.filter((uid) => uid !== undefined));
  }
  return ok(uids);
}

async function checkDue(table: RowTable, partition: string, due: Row): Promise<string | undefined> {
  const uid = keys.parseDueKey(due.rowKey)?.uid;
  if (uid !== undefined) {
    const pod = await table.get(partition, keys.podRowKey(uid));
    if (!pod.ok || pod.value?.due === due.rowKey) return uid;
  }
  await table.remove(partition, due.rowKey, due.etag);
  return undefined;
}

export async function findNextDue(table: RowTable, partition: string): Promise<Result<number | undefined>> {
  const found = await table.query(partition, { ...keys.allDue, limit: 1 });
  if (!found.ok) return found;
  const first = found.value[0];
  return ok(first === undefined ? undefined : keys.parseDueKey(first.rowKey)?.dueAt);
}

/** How many keys stand up to `until`, those that a crash has left behind included: they are few. */
export async function countDue(table: RowTable, partition: string, until: number): Promise<Result<number>> {
  const found = await table.query(partition, keys.dueUntil(until));
  return found.ok ? ok(found.value.length) : found;
}
