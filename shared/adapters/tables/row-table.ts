import type { Result } from '../../core/fault.ts';

/** One row: its key, its version, its JSON, and for pod rows the key of its due row. */
export interface Row {
  readonly rowKey: string;
  readonly etag: string;
  readonly text: string;
  readonly due?: string;
}

/** One write of a transaction. `delete` and `touch` need the row to be there, in whatever version. */
export type RowWrite =
  | { readonly kind: 'insert'; readonly rowKey: string; readonly text: string; readonly due?: string }
  | {
      readonly kind: 'replace';
      readonly rowKey: string;
      readonly text: string;
      readonly due?: string;
      readonly etag: string;
    }
  | { readonly kind: 'upsert'; readonly rowKey: string; readonly text: string }
  | { readonly kind: 'touch'; readonly rowKey: string }
  | { readonly kind: 'delete'; readonly rowKey: string };

/** Rows from `from` to `to`, both included, in the order of their keys; the first `limit` of them, all when absent. */
export interface RowRange {
  readonly from: string;
  readonly to: string;
  readonly limit?: number;
}

/** Codes of `conflict` as the Table service names them. */
export const conflictCodes = {
  exists: 'EntityAlreadyExists',
  changed: 'UpdateConditionNotSatisfied',
  missing: 'ResourceNotFound',
  tableMissing: 'TableNotFound',
} as const;

/**
 * As much of a table as the state store needs: partitions of rows in key order, with ETags and transactions within one
 * partition. A table that is not there reads as empty. One request a call (`query`: one a page), never repeated inside.
 */
export interface RowTable {
  now(): Promise<Result<number>>;
  get(partition: string, rowKey: string): Promise<Result<Row | undefined>>;
  query(partition: string, range: RowRange): Promise<Result<readonly Row[]>>;
  /** The first partition after this one that has a row; `''` is before all. Undefined: there is none. */
  nextPartition(after: string): Promise<Result<string | undefined>>;
  /** All or nothing. Answers the ETag of the first write's row (`''` for a delete). `conflict` carries one of `conflictCodes`. */
  submit(partition: string, writes: readonly [RowWrite, ...RowWrite[]]): Promise<Result<string>>;
  /** Several callers' transactions as one; answers the ETag of each one's first write. A row that several touch may be in more than one of them. */
  submitAll(
    partition: string,
    members: readonly (readonly [RowWrite, ...RowWrite[]])[],
  ): Promise<Result<readonly string[]>>;
  /** Those of these rows that are there, at most 14 of them, in one request. */
  getAll(partition: string, rowKeys: readonly string[]): Promise<Result<readonly Row[]>>;
  /** Succeeds when absent; `conflict` when the row has another ETag. `*` is any. */
  remove(partition: string, rowKey: string, etag: string): Promise<Result<void>>;
}
