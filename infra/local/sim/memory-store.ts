import type { NodeKey } from '../../../shared/core/node/node-key.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { StateStore } from '../../../shared/ports/state-store.ts';
import { parsePodRow } from '../../../shared/wire/rows.ts';
import { allDue, allPods, nodePartition, parseDueKey } from '../../../shared/adapters/tables/keys.ts';
import type { Row } from '../../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../../shared/adapters/tables/state-store.ts';
import { createMemoryTable } from './memory-table.ts';
import type { MemoryTable } from './memory-table.ts';

/** The state store in memory, for tests and for simulations on a virtual clock. Same rules, same contract suite. */
export interface MemoryStore extends StateStore {
  readonly table: MemoryTable;
  /** Loses all tables. */
  clear(): void;
  /** The pod rows of a node, in the order of their UIDs. */
  readPods(node: NodeKey): readonly PodRow[];
  /** The due keys of a node, oldest first. */
  readDue(node: NodeKey): readonly { readonly dueAt: number; readonly uid: string }[];
}

const silent: Log = { info: () => undefined, warn: () => undefined };

/** `now` is the Table service's time in ms. */
export function createMemoryStore(options: { readonly now: () => number; readonly log?: Log }): MemoryStore {
  const table = createMemoryTable(options);
  const within = (node: NodeKey, range: { from: string; to: string }): readonly Row[] =>
    table.readPartition(nodePartition(node)).filter((row) => row.rowKey >= range.from && row.rowKey <= range.to);
  return {
    ...createStateStore(table, options.log ?? silent),
    table,
    clear: () => table.clear(),
    readPods: (node) =>
      within(node, allPods).flatMap((row) => {
        const parsed = parsePodRow(row.text);
        return parsed.kind === 'row' ? [parsed.value] : [];
      }),
    readDue: (node) => within(node, allDue).flatMap((row) => parseDueKey(row.rowKey) ?? []),
  };
}
