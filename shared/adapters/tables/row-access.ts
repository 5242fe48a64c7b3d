import { fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import type { Log } from '../../ports/log.ts';
import type { Versioned } from '../../ports/state-store.ts';
import type { RowParser } from '../../wire/rows.ts';
import { conflictCodes } from './row-table.ts';
import type { Row, RowTable } from './row-table.ts';

/** What a row says; `undefined` for garbage, a fault for a row that a newer version of the app has written. */
export type RowReader = <T>(row: Row, parser: RowParser<T>) => Result<Versioned<T> | undefined>;

const rememberedWarnings = 1000;

export function createRowReader(log: Log): RowReader {
  const warned = new Set<string>();
  return (row, parser) => {
    const parsed = parser(row.text);
    if (parsed.kind === 'row') return ok({ value: parsed.value, etag: row.etag });
    if (parsed.kind === 'newer') return fail(newerRow(row.rowKey));
    if (!warned.has(row.rowKey) && warned.size < rememberedWarnings) {
      warned.add(row.rowKey);
      log.warn('A row is garbage and counts as absent.', { rowKey: row.rowKey });
    }
    return ok(undefined);
  };
}

const newerRow = (rowKey: string): Fault => ({
  kind: 'transient',
  message: `The row ${rowKey} was written by a newer version of the app, which alone may change it.`,
});

export interface RowAddress<T> {
  readonly partition: string;
  readonly rowKey: string;
  readonly parser: RowParser<T>;
}

/** An insert that failed because a garbage row is there may replace it: garbage counts as absent. */
export async function garbageInTheWay<T>(
  table: Pick<RowTable, 'get'>,
  address: RowAddress<T>,
  inserted: Result<string>,
): Promise<Row | undefined> {
  if (inserted.ok || !isConflict(inserted.fault, conflictCodes.exists)) return undefined;
  const existing = await table.get(address.partition, address.rowKey);
  if (!existing.ok || existing.value === undefined) return undefined;
  return address.parser(existing.value.text).kind === 'garbage' ? existing.value : undefined;
}

export const isConflict = (fault: Fault, code: string): boolean => fault.kind === 'conflict' && fault.code === code;

export const version = <T>(value: T, etag: Result<string>): Result<Versioned<T>> =>
  etag.ok ? ok({ value, etag: etag.value }) : etag;
