import type { TableClient, TransactionAction } from '@azure/data-tables';
import { fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import { packEntity, unpackEntity } from './entity.ts';
import { joinWrites } from './group-commit.ts';
import { conflictCodes } from './row-table.ts';
import type { Row, RowRange, RowTable, RowWrite } from './row-table.ts';
import type { ServiceClock } from './service-clock.ts';
import { tableFault } from './table-faults.ts';

/** The table of the Table service; made on first use, because the SDK is loaded then. */
export interface TableConnection {
  readonly client: () => Promise<TableClient>;
  readonly clock: ServiceClock;
  /** Bounds each request. */
  readonly timeoutMs: number;
}

/** {@link RowTable} on @azure/data-tables. The table is made when the service says that it is not there. */
export function createAzureTable(connection: TableConnection): RowTable {
  return {
    now: () => readClock(connection),
    get: (partition, rowKey) => get(connection, partition, rowKey),
    query: (partition, range) => query(connection, partition, range),
    nextPartition: (after) => nextPartition(connection, after),
    submit: async (partition, writes) => {
      const submitted = await submitOrCreateTable(connection, partition, writes);
      return submitted.ok ? ok(submitted.value[0] ?? '') : submitted;
    },
    submitAll: async (partition, members) => {
      const { writes, firsts } = joinWrites(members);
      const submitted = await submitOrCreateTable(connection, partition, writes);
      return submitted.ok ? ok(firsts.map((index) => submitted.value[index] ?? '')) : submitted;
    },
    getAll: (partition, rowKeys) => getAll(connection, partition, rowKeys),
    remove: (partition, rowKey, etag) => remove(connection, partition, rowKey, etag),
  };
}

async function attempt<T>(
  connection: TableConnection,
  call: (client: TableClient, abortSignal: AbortSignal) => Promise<T>,
): Promise<Result<T>> {
  try {
    return ok(await call(await connection.client(), AbortSignal.timeout(connection.timeoutMs)));
  } catch (error) {
    return fail(tableFault(error));
  }
}

/** Any answer carries the time: a row that is not there is the cheapest question. */
async function readClock(connection: TableConnection): Promise<Result<number>> {
  const known = connection.clock.read();
  if (known !== undefined) return ok(known);
  const answer = await get(connection, 'clock', 'clock');
  const now = connection.clock.read();
  if (now !== undefined) return ok(now);
  return answer.ok ? fail({ kind: 'transient', message: 'The Table service reported no time.' }) : answer;
}

const isMissing = (fault: Fault): boolean =>
  fault.kind === 'conflict' && (fault.code === conflictCodes.missing || fault.code === conflictCodes.tableMissing);

async function get(connection: TableConnection, partition: string, rowKey: string): Promise<Result<Row | undefined>> {
  const entity = await attempt(connection, (client, abortSignal) =>
    client.getEntity(partition, rowKey, { abortSignal }),
  );
  if (entity.ok) return ok(unpackEntity(entity.value));
  return isMissing(entity.fault) ? ok(undefined) : entity;
}

const maxPageSize = 1000;

async function query(connection: TableConnection, partition: string, range: RowRange): Promise<Result<readonly Row[]>> {
  const filter = `PartitionKey eq '${partition}' and RowKey ge '${range.from}' and RowKey le '${range.to}'`;
  const limit = range.limit ?? Number.POSITIVE_INFINITY;
  const rows = await attempt(connection, async (client, abortSignal) => {
    const found: Row[] = [];
    const options = { queryOptions: { filter }, abortSignal };
    const pages = client.listEntities(options).byPage({ maxPageSize: Math.min(limit, maxPageSize) });
    for await (const page of pages) {
      found.push(...page.flatMap((entity) => unpackEntity(entity) ?? []));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  });
  return rows.ok || !isMissing(rows.fault) ? rows : ok([]);
}

/** The keys hold no quote (`keys.ts`), so they are in the filter as they are. */
async function getAll(
  connection: TableConnection,
  partition: string,
  rowKeys: readonly string[],
): Promise<Result<readonly Row[]>> {
  const filter = `PartitionKey eq '${partition}' and (${rowKeys.map((key) => `RowKey eq '${key}'`).join(' or ')})`;
  const rows = await attempt(connection, async (client, abortSignal) => {
    const found: Row[] = [];
    for await (const page of client.listEntities({ queryOptions: { filter }, abortSignal }).byPage())
      found.push(...page.flatMap((entity) => unpackEntity(entity) ?? []));
    return found;
  });
  return rows.ok || !isMissing(rows.fault) ? rows : ok([]);
}

/** The table has no list of its partitions: each is found by the first row behind the one before. */
async function nextPartition(connection: TableConnection, after: string): Promise<Result<string | undefined>> {
  const queryOptions = { filter: `PartitionKey gt '${after}'`, select: ['PartitionKey'] };
  const found = await attempt(connection, async (client, abortSignal) => {
    // The service may answer an empty page and a way on.
    for await (const page of client.listEntities({ queryOptions, abortSignal }).byPage({ maxPageSize: 1 })) {
      const [first] = page;
      if (first !== undefined) return first.partitionKey;
    }
    return undefined;
  });
  return found.ok || !isMissing(found.fault) ? found : ok(undefined);
}

/**
 * A table that is not there has been lost, or never was. It is made for whoever comes next; a transaction that relies
 * on rows that must have been in it is a conflict, one that only adds rows is sent again.
 */
async function submitOrCreateTable(
  connection: TableConnection,
  partition: string,
  writes: readonly [RowWrite, ...RowWrite[]],
): Promise<Result<readonly string[]>> {
  const submitted = await submit(connection, partition, writes);
  const tableMissing =
    !submitted.ok && submitted.fault.kind === 'conflict' && submitted.fault.code === conflictCodes.tableMissing;
  if (!tableMissing) return submitted;
  const created = await attempt(connection, (client, abortSignal) => client.createTable({ abortSignal }));
  if (!created.ok) return created;
  const onlyAdds = writes.every((write) => write.kind === 'insert' || write.kind === 'upsert');
  return onlyAdds ? submit(connection, partition, writes) : submitted;
}

async function submit(
  connection: TableConnection,
  partition: string,
  writes: readonly [RowWrite, ...RowWrite[]],
): Promise<Result<readonly string[]>> {
  const actions = writes.map((write) => action(partition, write));
  const answer = await attempt(connection, (client, abortSignal) => client.submitTransaction(actions, { abortSignal }));
  if (!answer.ok) return answer;
  const refused = answer.value.subResponses.find((response) => response.status >= 400);
  if (refused !== undefined) return fail(tableFault({ statusCode: refused.status }));
  const etags = writes.map((_, index) => answer.value.subResponses[index]?.etag?.trim());
  if (writes.some(({ kind }, index) => kind !== 'delete' && etags[index] === undefined))
    return fail({ kind: 'transient', message: 'The Table service answered a transaction without an ETag.' });
  return ok(etags.map((etag) => etag ?? ''));
}

function action(partitionKey: string, write: RowWrite): TransactionAction {
  const key = { partitionKey, rowKey: write.rowKey };
  switch (write.kind) {
    case 'insert':
      return ['create', { ...key, ...packEntity(write) }];
    case 'replace':
      return ['update', { ...key, ...packEntity(write) }, 'Replace', { etag: write.etag }];
    case 'upsert':
      return ['upsert', { ...key, ...packEntity(write) }, 'Replace'];
    case 'touch':
      return ['update', key, 'Merge', { etag: '*' }];
    case 'delete':
      break;
  }
  return ['delete', key];
}

async function remove(
  connection: TableConnection,
  partition: string,
  ...[rowKey, etag]: readonly [rowKey: string, etag: string]
): Promise<Result<void>> {
  const answer = await attempt(connection, (client, abortSignal) =>
    client.deleteEntity(partition, rowKey, { etag, abortSignal }),
  );
  if (!answer.ok) return isMissing(answer.fault) ? ok(undefined) : answer;
  return ok(undefined);
}
