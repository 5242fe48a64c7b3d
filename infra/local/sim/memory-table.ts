import { fail, ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import { joinWrites } from '../../../shared/adapters/tables/group-commit.ts';
import type { Writes } from '../../../shared/adapters/tables/group-commit.ts';
import { conflictCodes } from '../../../shared/adapters/tables/row-table.ts';
import type { Row, RowRange, RowTable, RowWrite } from '../../../shared/adapters/tables/row-table.ts';

/** A table in memory with the Table service's semantics: ETags, all-or-nothing transactions, rows in key order. */
export interface MemoryTable extends RowTable {
  /** Loses every row, as when the table is deleted. */
  clear(): void;
  /** All rows of a partition, in key order. */
  readPartition(partition: string): readonly Row[];
  /** Counts what changed so far: the same number, the same rows. */
  readonly changes: () => number;
  /** Writes a row past all rules, for tests of garbage. */
  forceRow(partition: string, row: Omit<Row, 'etag'>): void;
}

export function createMemoryTable(options: { readonly now: () => number }): MemoryTable {
  const partitions = new Map<string, SortedRows>();
  let versions = 0;
  let removals = 0;
  const rowsOf = (partition: string): SortedRows => {
    const rows = partitions.get(partition) ?? new SortedRows();
    partitions.set(partition, rows);
    return rows;
  };
  const newEtag = (): string => `W/"${(versions += 1)}"`;

  /** No two writes of a transaction are about one row, so all can be judged before the first takes effect. */
  const submit = (partition: string, writes: readonly [RowWrite, ...RowWrite[]]): Result<string> => {
    const rows = rowsOf(partition);
    for (const write of writes) {
      const code = refusal(rows.get(write.rowKey), write);
      if (code !== undefined) return conflict(code);
    }
    for (const write of writes) apply(rows, write, newEtag());
    return ok(rows.get(writes[0].rowKey)?.etag ?? '');
  };

  const submitAll = (partition: string, members: readonly Writes[]): Result<readonly string[]> => {
    const { writes } = joinWrites(members);
    const submitted = submit(partition, writes);
    return submitted.ok ? ok(members.map(([first]) => rowsOf(partition).get(first.rowKey)?.etag ?? '')) : submitted;
  };

  const remove = (partition: string, rowKey: string, etag: string): Result<void> => {
    const row = rowsOf(partition).get(rowKey);
    if (row !== undefined && etag !== '*' && row.etag !== etag) return conflict(conflictCodes.changed);
    if (rowsOf(partition).delete(rowKey)) removals += 1;
    return ok(undefined);
  };

  return {
    now: async () => ok(options.now()),
    get: async (partition, rowKey) => ok(rowsOf(partition).get(rowKey)),
    query: async (partition, range) => ok(rowsOf(partition).range(range)),
    nextPartition: async (after) => {
      const later = [...partitions].filter(([name, rows]) => name > after && !rows.isEmpty).map(([name]) => name);
      return ok(later.toSorted((a, b) => (a < b ? -1 : 1))[0]);
    },
    submit: async (partition, writes) => submit(partition, writes),
    submitAll: async (partition, members) => submitAll(partition, members),
    getAll: async (partition, rowKeys) => ok(rowKeys.flatMap((rowKey) => rowsOf(partition).get(rowKey) ?? [])),
    remove: async (partition, rowKey, etag) => remove(partition, rowKey, etag),
    clear: () => {
      partitions.clear();
      removals += 1;
    },
    changes: () => versions + removals,
    readPartition: (partition) => rowsOf(partition).range({ from: '', to: '\uFFFF' }),
    forceRow: (partition, row) => rowsOf(partition).set({ ...row, etag: newEtag() }),
  };
}

/** Rows of one partition with their keys in order, so that a range costs no more than what it holds. */
class SortedRows {
  readonly #rows = new Map<string, Row>();
  readonly #keys: string[] = [];

  get(rowKey: string): Row | undefined {
    return this.#rows.get(rowKey);
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  set(row: Row): void {
    if (!this.#rows.has(row.rowKey)) this.#keys.splice(this.#indexOf(row.rowKey), 0, row.rowKey);
    this.#rows.set(row.rowKey, row);
  }

  delete(rowKey: string): boolean {
    const wasThere = this.#rows.delete(rowKey);
    if (wasThere) this.#keys.splice(this.#indexOf(rowKey), 1);
    return wasThere;
  }

  range({ from, to, limit = Infinity }: RowRange): readonly Row[] {
    const found: Row[] = [];
    for (let index = this.#indexOf(from); index < this.#keys.length && found.length < limit; index += 1) {
      const row = this.#rows.get(this.#keys[index] ?? '');
      if (row === undefined || row.rowKey > to) break;
      found.push(row);
    }
    return found;
  }

  /** Of the first key that is not before this one. */
  #indexOf(rowKey: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < rowKey) low = middle + 1;
      else high = middle;
    }
    return low;
  }
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

function apply(rows: SortedRows, write: RowWrite, etag: string): void {
  switch (write.kind) {
    case 'insert':
    case 'replace': {
      const due = write.due === undefined ? {} : { due: write.due };
      rows.set({ rowKey: write.rowKey, etag, text: write.text, ...due });
      return;
    }
    case 'upsert':
      rows.set({ rowKey: write.rowKey, etag, text: write.text });
      return;
    case 'touch': {
      const existing = rows.get(write.rowKey);
      if (existing !== undefined) rows.set({ ...existing, etag });
      return;
    }
    case 'delete':
      rows.delete(write.rowKey);
  }
}

const conflict = (code: string): Result<never> =>
  fail({ kind: 'conflict', code, message: 'Somebody else wrote first.' });
