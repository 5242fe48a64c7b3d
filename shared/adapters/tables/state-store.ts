import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { CapacityState } from '../../core/budget/capacity.ts';
import type { BucketState } from '../../core/budget/token-bucket.ts';
import type { NodeKey } from '../../core/node/node-key.ts';
import type { NodeRow } from '../../core/reconcile/node-row.ts';
import type { Birth, StateStore, Versioned } from '../../ports/state-store.ts';
import type { Log } from '../../ports/log.ts';
import { formatRow, parseBucketState, parseCapacityState, parseNodeRow } from '../../wire/rows.ts';
import type { RowParser } from '../../wire/rows.ts';
import { countDue, findNextDue, listDue } from './due.ts';
import { createImageRows } from './image-rows.ts';
import { createJointReads } from './joint-reads.ts';
import * as keys from './keys.ts';
import type { Patience } from './lanes.ts';
import { createPodRows } from './pod-rows.ts';
import { createRowReader, garbageInTheWay, isConflict, version } from './row-access.ts';
import type { RowAddress, RowReader } from './row-access.ts';
import { conflictCodes } from './row-table.ts';
import type { RowTable, RowWrite } from './row-table.ts';
import { createUsageRows } from './usage-rows.ts';

/** Whether a node's partition may begin now: the answer is fresh, not remembered. A fault: no, or nobody knows. */
export type MayBegin = (node: NodeKey) => Promise<Result<unknown>>;

export interface StateStoreOptions {
  /** Which partitions may begin; all unless given. */
  readonly mayBegin?: MayBegin | undefined;
  /** How long requests wait for company in a burst; not at all unless given. */
  readonly patience?: Patience;
}

/** The state store's rules over any {@link RowTable}: the real table and the one in memory behave alike. */
export function createStateStore(table: RowTable, log: Log, options: StateStoreOptions = {}): StateStore {
  const { mayBegin = always, patience } = options;
  const read = createRowReader(log);
  const readRow = createJointReads(table, patience);
  const births = new Map<string, Birth>();
  const podRows = createPodRows(table, read, { readRow, patience });
  const single = <T extends NodeRow | BucketState | CapacityState>(
    partition: string,
    rowKey: string,
    parser: RowParser<T>,
  ) => ({
    get: () => getRow(table, read, { partition, rowKey, parser }),
    upsert: (value: T, guard: Guard<T>) => putRow(table, { partition, rowKey, parser, value, ...guard }),
  });
  const nodeRow = (partition: string) => single(partition, keys.nodeRowKey, parseNodeRow);
  const bucketRow = (name: string) => single(keys.bucketPartition, keys.bucketKey(name), parseBucketState);
  const capacityRow = (size: string) => single(keys.bucketPartition, keys.capacityKey(size), parseCapacityState);
  return {
    now: () => table.now(),
    getBirth: async (node, options) => {
      const partition = keys.nodePartition(node);
      const known = options?.mayBeRemembered === true ? births.get(partition) : undefined;
      if (known !== undefined) return ok(known);
      const birth = await getBirth(table, node, mayBegin);
      if (birth.ok) births.set(partition, birth.value);
      return birth;
    },
    ...podRows,
    upsertPod: async (node, row, guard) => {
      const written = await podRows.upsertPod(node, row, guard);
      // The marker may be gone with all tables; who asks next reads it.
      if (!written.ok && guard.birth !== undefined) births.delete(keys.nodePartition(node));
      return written;
    },
    ...createUsageRows(table, read),
    ...createImageRows(table, read),
    listNodes: () => listNodes(table),
    listDue: (node, until, limit) => listDue({ table, readRow, read }, keys.nodePartition(node), { until, limit }),
    countDue: (node, until) => countDue(table, keys.nodePartition(node), until),
    getNextDue: (node) => findNextDue(table, keys.nodePartition(node)),
    getNode: (node) => nodeRow(keys.nodePartition(node)).get(),
    upsertNode: (node, row, previous, birth) => nodeRow(keys.nodePartition(node)).upsert(row, { previous, birth }),
    getBucket: (name) => bucketRow(name).get(),
    upsertBucket: (name, state, previous) => bucketRow(name).upsert(state, { previous }),
    getCapacity: (size) => capacityRow(size).get(),
    upsertCapacity: async (size, state, previous) => {
      if (state !== undefined) return capacityRow(size).upsert(state, { previous });
      if (previous === undefined) return ok(undefined);
      const removed = await table.remove(keys.bucketPartition, keys.capacityKey(size), previous.etag);
      return removed.ok ? ok(undefined) : removed;
    },
  };
}

async function listNodes(table: RowTable): Promise<Result<readonly NodeKey[]>> {
  const nodes: NodeKey[] = [];
  for (let after = ''; ;) {
    const next = await table.nextPartition(after);
    if (!next.ok) return next;
    if (next.value === undefined) return ok(nodes);
    const node = keys.parseNodePartition(next.value);
    if (node !== undefined) nodes.push(node);
    after = next.value;
  }
}

const always: MayBegin = () => Promise.resolve(ok(undefined));

async function getBirth(table: RowTable, node: NodeKey, mayBegin: MayBegin): Promise<Result<Birth>> {
  const partition = keys.nodePartition(node);
  const found = await table.query(partition, { ...keys.allBirths, limit: 1 });
  if (!found.ok) return found;
  const key = found.value[0]?.rowKey;
  const bornAt = key === undefined ? undefined : keys.parseBirthKey(key);
  if (key !== undefined && bornAt !== undefined) return ok({ bornAt, key });
  const allowed = await mayBegin(node);
  if (!allowed.ok) return allowed;
  const now = await table.now();
  if (!now.ok) return now;
  const born = keys.birthKey(now.value);
  const written = await table.submit(partition, [{ kind: 'insert', rowKey: born, text: '' }]);
  // Somebody else may have written the very same marker: it is there, which is all that counts.
  if (!written.ok && !isConflict(written.fault, conflictCodes.exists)) return written;
  return ok({ bornAt: keys.parseBirthKey(born) ?? now.value, key: born });
}

async function getRow<T>(
  table: RowTable,
  read: RowReader,
  address: RowAddress<T>,
): Promise<Result<Versioned<T> | undefined>> {
  const row = await table.get(address.partition, address.rowKey);
  if (!row.ok) return row;
  return row.value === undefined ? ok(undefined) : read(row.value, address.parser);
}

interface Guard<T> {
  readonly previous: Versioned<T> | undefined;
  readonly birth?: Birth | undefined;
}

async function putRow<T extends NodeRow | BucketState | CapacityState>(
  table: RowTable,
  row: RowAddress<T> & Guard<T> & { readonly value: T },
): Promise<Result<Versioned<T>>> {
  const { partition, rowKey, value, previous, birth } = row;
  const text = formatRow(value);
  const others: readonly RowWrite[] = birth === undefined ? [] : [{ kind: 'touch', rowKey: birth.key }];
  const replace = (etag: string) => table.submit(partition, [{ kind: 'replace', rowKey, text, etag }, ...others]);
  if (previous !== undefined) return version(value, await replace(previous.etag));
  const inserted = await table.submit(partition, [{ kind: 'insert', rowKey, text }, ...others]);
  const garbage = await garbageInTheWay(table, row, inserted);
  return version(value, garbage === undefined ? inserted : await replace(garbage.etag));
}
