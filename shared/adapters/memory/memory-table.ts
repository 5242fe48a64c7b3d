import { fail, ok, type Result } from '../../core/fault.ts';
import { conflictCodes, type Row, type RowTable, type RowWrite } from '../tables/row-table.ts';

/** A table in memory with the Table service's semantics: ETags, all-or-nothing transactions, rows in key order. */
export interface MemoryTable extends RowTable {
  /** Loses every row, as when the table is deleted. */
  clear(): void;
  /** All rows of a partition, in key order. */
  readPartition(partition: string): readonly Row[];
  /** Writes a row past all rules, for tests of garbage. */
  forceRow(partition: string, row: Omit<Row, 'etag'>): void;
}

export function createMemoryTable(options: { readonly now: () => number }): MemoryTable {
  const partitions = new Map<string, Map<string, Row>>();
  let versions = 0;
  const rowsOf = (partition: string): Map<string, Row> => {
    const rows = partitions.get(partition) ?? new Map<string, Row>();
    partitions.set(partition, rows);
    return rows;
  };
  const newEtag = (): string => `W/"${(versions += 1)}"`;
  const sorted = (partition: string): Row[] =>
    [...rowsOf(partition).values()].sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1));

  const submit = (partition: string, writes: readonly [RowWrite, ...RowWrite[]]): Result<string> => {
    const rows = new Map(rowsOf(partition));
    for (const write of writes) {
      const code = refusal(rows.get(write.rowKey), write);
      if (code !== undefined) return conflict(code);
      apply(rows, write, newEtag());
    }
    partitions.set(partition, rows);
    return ok(rows.get(writes[0].rowKey)?.etag ?? '');
  };

  const remove = (partition: string, rowKey: string, etag: string): Result<void> => {
    const row = rowsOf(partition).get(rowKey);
    if (row !== undefined && etag !== '*' && row.etag !== etag) return conflict(conflictCodes.changed);
    rowsOf(partition).delete(rowKey);
    return ok(undefined);
  };

  return {
    now: async () => ok(options.now()),
    get: async (partition, rowKey) => ok(rowsOf(partition).get(rowKey)),
    query: async (partition, { from, to, limit }) =>
      ok(
        sorted(partition)
          .filter((row) => row.rowKey >= from && row.rowKey <= to)
          .slice(0, limit),
      ),
    submit: async (partition, writes) => submit(partition, writes),
    remove: async (partition, rowKey, etag) => remove(partition, rowKey, etag),
    clear: () => partitions.clear(),
    readPartition: sorted,
    forceRow: (partition, row) => void rowsOf(partition).set(row.rowKey, { ...row, etag: newEtag() }),
  };
}

function refusal(existing: Row | undefined, write: RowWrite): string | undefined {
  switch (write.kind) {
    case 'insert':
      return existing === undefined ? undefined : conflictCodes.exists;
    case 'replace':
      if (existing === undefined) return conflictCodes.missing;
      return existing.etag === write.etag ? undefined : conflictCodes.changed;
    case 'touch':
    case 'delete':
      return existing === undefined ? conflictCodes.missing : undefined;
    case 'upsert':
      break;
  }
  return undefined;
}

function apply(rows: Map<string, Row>, write: RowWrite, etag: string): void {
  switch (write.kind) {
    case 'insert':
    case 'replace': {
      const due = write.due === undefined ? {} : { due: write.due };
      rows.set(write.rowKey, { rowKey: write.rowKey, etag, text: write.text, ...due });
      return;
    }
    case 'upsert':
      rows.set(write.rowKey, { rowKey: write.rowKey, etag, text: write.text });
      return;
    case 'touch': {
      const existing = rows.get(write.rowKey);
      if (existing !== undefined) rows.set(write.rowKey, { ...existing, etag });
      return;
    }
    case 'delete':
      rows.delete(write.rowKey);
  }
}

const conflict = (code: string): Result<never> =>
  fail({ kind: 'conflict', code, message: 'Somebody else wrote first.' });
