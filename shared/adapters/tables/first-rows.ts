import { birthKey, bucketKey, bucketPartition, nodePartition } from './keys.ts';
import { conflictCodes } from './row-table.ts';
import type { RowTable, RowWrite } from './row-table.ts';
import { everyCharge, openBucket } from '../../core/budget/plan.ts';
import type { ArmLimits } from '../../core/budget/plan.ts';
import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { NodeKey } from '../../core/node/node-key.ts';
import { timing } from '../../core/reconcile/timing.ts';
import { formatRow } from '../../wire/rows.ts';

/**
 * The service's time is known by headers of whole seconds that are old when they arrive (`createServiceClock`): the app's
 * process may be so far behind ours, and would take the minute for not yet over.
 */
const clockSpreadMs = 5_000;

export interface FirstRows {
  /** Nodes without a past: their pods need not wait for a PUT of before. */
  readonly nodes: readonly NodeKey[];
  /** Of an installation without a past: its budgets start open. Undefined: they are left as they are. */
  readonly limits: ArmLimits | undefined;
}

/**
 * Writes what a node without a past starts with: a birth marker of more than a minute ago, by the Table service's time, and open
 * budgets. The marker's minute is for a PUT that was sent before the tables were lost and may still arrive; whoever calls
 * this has shown that there can be none, and that the app does not serve the nodes yet. Cut off anywhere it leaves rows
 * that are true. Rows that are there stay as they are. Cost: one transaction for the budgets, one for each node.
 */
export async function writeFirstRows(table: RowTable, { nodes, limits }: FirstRows): Promise<Result<void>> {
  const now = await table.now();
  if (!now.ok) return now;
  // First: once a node has rows, nothing shows any more that the installation is new.
  if (limits !== undefined) {
    const [first, ...others] = everyCharge(limits).map((charge): RowWrite => {
      const text = formatRow(openBucket(charge, now.value));
      return { kind: 'insert', rowKey: bucketKey(charge.bucket), text };
    });
    const written = first === undefined ? ok('') : await insert(table, bucketPartition, [first, ...others]);
    if (!written.ok) return written;
  }
  for (const node of nodes) {
    const rowKey = birthKey(now.value - timing.birthMs - clockSpreadMs);
    const written = await insert(table, nodePartition(node), [{ kind: 'insert', rowKey, text: '' }]);
    if (!written.ok) return written;
  }
  return ok(undefined);
}

async function insert(
  table: RowTable,
  partition: string,
  writes: readonly [RowWrite, ...RowWrite[]],
): Promise<Result<unknown>> {
  const written = await table.submit(partition, writes);
  const isThere = !written.ok && written.fault.kind === 'conflict' && written.fault.code === conflictCodes.exists;
  return isThere ? ok(undefined) : written;
}
