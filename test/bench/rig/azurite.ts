import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import { allocatePort } from '../../../infra/local/ports.ts';
import { createAzureTable } from '../../../shared/adapters/tables/azure-table.ts';
import { bucketKey, bucketPartition, birthKey, nodePartition } from '../../../shared/adapters/tables/keys.ts';
import type { RowTable, RowWrite } from '../../../shared/adapters/tables/row-table.ts';
import { createServiceClock } from '../../../shared/adapters/tables/service-clock.ts';
import { tableName } from '../../../shared/adapters/tables/table-store.ts';
import type { NodeKey } from '../../../shared/core/node/node-key.ts';
import { formatRow } from '../../../shared/wire/rows.ts';

/** The published key of Azurite's only account: no secret. */
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface BenchTables {
  readonly child: Child<true>;
  readonly connectionString: string;
  /** The installation's table, beside the app. */
  readonly table: RowTable;
  /** Requests that the service has answered so far, by its own access log. */
  requests(): number;
}

/** Real Table storage, in memory: what its disk costs is no figure of ours. */
export async function startTables(
  dir: string,
  installation: string,
  env: NodeJS.ProcessEnv = {},
): Promise<BenchTables> {
  const port = await allocatePort();
  const logFile = join(dir, 'azurite.log');
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/table/main.js');
  const flags = ['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry'];
  const child = await startChild({
    name: 'azurite',
    command: process.execPath,
    args: [program, '--tableHost', '127.0.0.1', '--tablePort', String(port), ...flags],
    env: { ...process.env, ...env },
    logFile,
    ready: (line) => (line.includes('successfully started') ? (true as const) : undefined),
    readyTimeoutMs: 30_000,
  });
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};TableEndpoint=http://127.0.0.1:${port}/${account};`;
  const client = TableClient.fromConnectionString(connectionString, tableName(installation), {
    allowInsecureConnection: true,
  });
  await client.createTable();
  return {
    child,
    connectionString,
    table: createAzureTable({
      client: () => Promise.resolve(client),
      clock: createServiceClock(() => performance.now(), 60_000),
      timeoutMs: 30_000,
    }),
    requests: () => (readFileSync(logFile, 'utf8').match(/"(GET|POST|PUT|PATCH|MERGE|DELETE) /g) ?? []).length,
  };
}

/** Tables as an installation has them after its first minutes: a birth long ago, and budgets that have filled up. */
export async function ageTables(table: RowTable, node: NodeKey, now: number): Promise<void> {
  const longAgoMs = now - 600_000;
  await write(table, nodePartition(node), [{ kind: 'insert', rowKey: birthKey(longAgoMs), text: '' }]);
  const full = formatRow({ tokens: 0, at: longAgoMs });
  const unspent = formatRow({ tokens: 0, at: longAgoMs, slots: [] });
  await write(table, bucketPartition, [
    ...['reads', 'logs', 'writes', 'deletes'].map((name): RowWrite => ({
      kind: 'insert',
      rowKey: bucketKey(name),
      text: full,
    })),
    ...['create-requests', 'delete-requests'].map((name): RowWrite => ({
      kind: 'insert',
      rowKey: bucketKey(name),
      text: unspent,
    })),
  ]);
}

/** Writes rows in transactions of at most 100; a refusal is an error. */
export async function write(table: RowTable, partition: string, writes: readonly RowWrite[]): Promise<void> {
  for (let start = 0; start < writes.length; start += 100) {
    const [first, ...others] = writes.slice(start, start + 100);
    if (first === undefined) return;
    const written = await table.submit(partition, [first, ...others]);
    if (!written.ok) throw new Error(`the tables did not take the rows: ${written.fault.message}`);
  }
}
