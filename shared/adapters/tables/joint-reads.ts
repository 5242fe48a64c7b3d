import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { Row, RowTable } from './row-table.ts';

export type ReadRow = (partition: string, rowKey: string) => Promise<Result<Row | undefined>>;

/** A filter of the Table service may hold 15 comparisons, one of them the partition's. */
export const mostTogether = 14;
const mostUnderWay = 2;

interface Reader {
  readonly rowKey: string;
  readonly answer: (result: Result<Row | undefined>) => void;
}

/**
 * Joins reads of single rows of one partition that are wanted at the same time into one request. Nobody waits for company:
 * what comes while two are under way goes together when one of them ends, and is read after it was asked for.
 */
export function createJointReads(table: Pick<RowTable, 'get' | 'getAll'>): ReadRow {
  const lanes = new Map<string, { underWay: number; waiting: Reader[] }>();

  const send = async (partition: string, readers: readonly Reader[]): Promise<void> => {
    const [first, ...others] = readers;
    if (first === undefined) return;
    if (others.length === 0) return first.answer(await table.get(partition, first.rowKey));
    const read = await table.getAll(partition, [...new Set(readers.map(({ rowKey }) => rowKey))]);
    for (const { rowKey, answer } of readers)
      answer(read.ok ? ok(read.value.find((row) => row.rowKey === rowKey)) : read);
  };

  const pump = (partition: string): void => {
    const lane = lanes.get(partition);
    if (lane === undefined) return;
    while (lane.underWay < mostUnderWay && lane.waiting.length > 0) {
      const together = lane.waiting.splice(0, mostTogether);
      lane.underWay += 1;
      void send(partition, together).finally(() => {
        lane.underWay -= 1;
        pump(partition);
      });
    }
    if (lane.underWay === 0) lanes.delete(partition);
  };

  return (partition, rowKey) =>
    new Promise((answer) => {
      const lane = lanes.get(partition) ?? { underWay: 0, waiting: [] };
      lanes.set(partition, lane);
      lane.waiting.push({ rowKey, answer });
      pump(partition);
    });
}
