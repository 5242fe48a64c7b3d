import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { createLanes } from './lanes.ts';
import type { Patience } from './lanes.ts';
import type { Row, RowTable } from './row-table.ts';

export type ReadRow = (partition: string, rowKey: string) => Promise<Result<Row | undefined>>;

/** A filter of the Table service may hold 15 comparisons, one of them the partition's. */
export const mostTogether = 14;

interface Reader {
  readonly rowKey: string;
  readonly answer: (result: Result<Row | undefined>) => void;
}

/**
 * Joins reads of single rows of one partition that are wanted at the same time into one request (`createLanes`
 * says who waits for whom). Each is read after it was asked for.
 */
export function createJointReads(table: Pick<RowTable, 'get' | 'getAll'>, patience?: Patience): ReadRow {
  const send = async (partition: string, readers: readonly Reader[]): Promise<void> => {
    const [first, ...others] = readers;
    if (first === undefined) return;
    if (others.length === 0) return first.answer(await table.get(partition, first.rowKey));
    const read = await table.getAll(partition, [...new Set(readers.map(({ rowKey }) => rowKey))]);
    for (const { rowKey, answer } of readers)
      answer(read.ok ? ok(read.value.find((row) => row.rowKey === rowKey)) : read);
  };

  const enter = createLanes<Reader>((waiting) => waiting.splice(0, mostTogether), send, patience);
  return (partition, rowKey) => new Promise((answer) => enter(partition, { rowKey, answer }));
}
