import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { NodeKey } from '../../core/node/node-key.ts';
import type { PodRow } from '../../core/reconcile/pod-row.ts';
import type { UsageRecord } from '../../core/usage/usage.ts';
import type { Birth, StateStore, Versioned } from '../../ports/state-store.ts';
import { formatRow, parsePodRow } from '../../wire/rows.ts';
import { createGroupCommit } from './group-commit.ts';
import type { ReadRow } from './joint-reads.ts';
import type { Patience } from './lanes.ts';
import * as keys from './keys.ts';
import { conflictCodes } from './row-table.ts';
import type { Row, RowTable, RowWrite } from './row-table.ts';
import { usageWrites } from './usage-rows.ts';
import { garbageInTheWay, isConflict, version } from './row-access.ts';
import type { RowReader } from './row-access.ts';
import { defined } from '../../core/defined.ts';

type PodRows = Pick<StateStore, 'getPod' | 'upsertPod' | 'deletePod' | 'listPods'>;

/** Pod rows with their due keys: one partition, one transaction. */
export function createPodRows(given: RowTable, read: RowReader, joint: JointWork): PodRows {
  const { readRow } = joint;
  const table: PodTable = {
    get: (...row) => given.get(...row),
    submit: createGroupCommit(given, joint.patience),
    remove: (...row) => given.remove(...row),
  };
  return {
    getPod: async (node, uid) => {
      const row = await readRow(keys.nodePartition(node), keys.podRowKey(uid));
      if (!row.ok) return row;
      return row.value === undefined ? ok(undefined) : read(row.value, parsePodRow);
    },
    upsertPod: (node, row, guard) => upsertPod(table, { node, row, ...guard }),
    deletePod: (node, previous, usage = []) => deletePod(table, { node, previous, usage }),
    listPods: async (node) => {
      const rows = await given.query(keys.nodePartition(node), keys.allPods);
      if (!rows.ok) return rows;
      // A newer version's row is that version's business; like garbage it is left out.
      const readable = rows.value.map((row) => read(row, parsePodRow));
      return ok(readable.flatMap((result) => (result.ok && result.value !== undefined ? [result.value] : [])));
    },
  };
}

/** How requests of several callers become one. */
export interface JointWork {
  readonly readRow: ReadRow;
  /** Absent: nobody waits for company. */
  readonly patience?: Patience | undefined;
}

/** As much of a table as one pod's row needs; what is submitted may go with that of others. */
type PodTable = Pick<RowTable, 'get' | 'submit' | 'remove'>;

interface PodWrite {
  readonly node: NodeKey;
  readonly row: PodRow;
  readonly previous: Versioned<PodRow> | undefined;
  readonly birth?: Birth;
  /** More of the same transaction. */
  readonly records?: readonly RowWrite[];
}

async function upsertPod(table: PodTable, write: PodWrite): Promise<Result<Versioned<PodRow>>> {
  const partition = keys.nodePartition(write.node);
  const { previous, row } = write;
  if (previous !== undefined) {
    const oldDue = dueKeyOf(previous.value);
    return version(row, await replacePod(table, write, { etag: previous.etag, oldDue }));
  }
  const inserted = await table.submit(partition, podWrites(write, {}));
  const address = { partition, rowKey: keys.podRowKey(row.uid), parser: parsePodRow };
  const garbage = await garbageInTheWay(table, address, inserted);
  if (garbage === undefined) return version(row, inserted);
  return version(row, await replacePod(table, write, garbageVersion(garbage)));
}

interface OldVersion {
  readonly etag?: string;
  readonly oldDue?: string | undefined;
}

const garbageVersion = (row: Row): OldVersion => ({
  etag: row.etag,
  oldDue: row.due !== undefined && keys.parseDueKey(row.due) !== undefined ? row.due : undefined,
});

async function replacePod(table: PodTable, write: PodWrite, old: OldVersion): Promise<Result<string>> {
  const partition = keys.nodePartition(write.node);
  const replaced = await table.submit(partition, podWrites(write, old));
  if (replaced.ok || old.oldDue === undefined || !isConflict(replaced.fault, conflictCodes.missing)) return replaced;
  // If it is only the old due key that is missing, nothing has been lost, and the row must not be stuck for ever.
  const due = await table.get(partition, old.oldDue);
  if (!due.ok || due.value !== undefined) return replaced;
  return table.submit(partition, podWrites(write, { ...old, oldDue: undefined }));
}

function podWrites(write: PodWrite, old: OldVersion): [RowWrite, ...RowWrite[]] {
  const due = dueKeyOf(write.row);
  const body = {
    rowKey: keys.podRowKey(write.row.uid),
    text: formatRow(write.row),
    ...defined({ due }),
  };
  const first: RowWrite =
    old.etag === undefined ? { kind: 'insert', ...body } : { kind: 'replace', ...body, etag: old.etag };
  const others: RowWrite[] = [];
  if (old.oldDue !== undefined && old.oldDue !== due) others.push({ kind: 'delete', rowKey: old.oldDue });
  // An upsert gives the due key a new ETag, so that nobody who just found it stale can still remove it.
  if (due !== undefined) others.push({ kind: 'upsert', rowKey: due, text: '' });
  if (write.birth !== undefined) others.push({ kind: 'touch', rowKey: write.birth.key });
  return [first, ...others, ...(write.records ?? [])];
}

/**
 * With records for the ledger the row is emptied first, in their transaction: the SDK's transactions delete whatever
 * version is there, and a row that somebody changed must not go. A crash in between leaves a row without a pod, which
 * the next resync makes due.
 */
async function deletePod(
  table: PodTable,
  { node, previous, usage }: { node: NodeKey; previous: Versioned<PodRow>; usage: readonly UsageRecord[] },
): Promise<Result<void>> {
  if (usage.length === 0) return removePod(table, node, previous);
  const row = { ...previous.value, usage: undefined, dueAt: undefined, lock: undefined };
  const records = usageWrites(usage);
  const old = { etag: previous.etag, oldDue: dueKeyOf(previous.value) };
  const emptied = await replacePod(table, { node, row, previous, records }, old);
  if (emptied.ok) return removePod(table, node, { value: row, etag: emptied.value });
  // Gone already: so has been its transaction.
  const isGone =
    isConflict(emptied.fault, conflictCodes.missing) || isConflict(emptied.fault, conflictCodes.tableMissing);
  if (!isGone) return emptied;
  const current = await table.get(keys.nodePartition(node), keys.podRowKey(row.uid));
  return current.ok && current.value === undefined ? ok(undefined) : emptied;
}

/** The row goes first: a due key that a crash leaves behind is removed by the next `listDue`. */
async function removePod(table: PodTable, node: NodeKey, previous: Versioned<PodRow>): Promise<Result<void>> {
  const partition = keys.nodePartition(node);
  const removed = await table.remove(partition, keys.podRowKey(previous.value.uid), previous.etag);
  const due = dueKeyOf(previous.value);
  if (removed.ok && due !== undefined) await table.remove(partition, due, '*');
  return removed;
}

const dueKeyOf = (row: PodRow): string | undefined =>
  row.dueAt === undefined ? undefined : keys.dueKey(row.dueAt, row.uid);
