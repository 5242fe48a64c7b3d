import type { TableClient, TransactionAction } from '@azure/data-tables';
import { nodePartition, parseBirthKey } from '../../../shared/adapters/tables/keys.ts';
import { isInsecure, tableName } from '../../../shared/adapters/tables/table-store.ts';
import type { Settings } from '../../../shared/wire/settings.ts';
import { failure } from '../stop.ts';
import { tableConfig } from '../table-config.ts';

export interface ClusterRows {
  /** How many rows are there. */
  count(): Promise<{ readonly rows: number; readonly usage: number }>;
  /**
   * Deletes them, those of the ledger only with `usage`. Idempotent. Once the nodes are out of the registrations nothing
   * comes back, however late an instance of the app learns of it: it writes new rows only together with the partition's
   * birth marker, which goes first, and makes that anew only after it has seen the node registered.
   */
  remove(options: { readonly usage: boolean }): Promise<void>;
}

/** Row keys of the ledger. */
const isUsage = (rowKey: string): boolean => rowKey.startsWith('usage-');
const isBirth = ({ rowKey }: Key): boolean => parseBirthKey(rowKey) !== undefined;
const batchSize = 100;
const maxRounds = 10;

/**
 * The rows of a cluster: those of its nodes, which no longer need to be known by name, or of some. They are nobody's
 * truth (docs/architecture.md, The rows), so they may go when the app no longer serves the cluster.
 */
export function clusterRows(
  settings: Settings,
  { uid, nodes }: { readonly uid: string; readonly nodes?: readonly string[] },
): ClusterRows {
  let client: Promise<TableClient> | undefined;
  const list = async (): Promise<Key[]> => listKeys(await (client ??= openTable(settings)), uid, nodes);
  return {
    count: async () => {
      const keys = await list();
      const usage = keys.filter(({ rowKey }) => isUsage(rowKey)).length;
      return { rows: keys.length - usage, usage };
    },
    remove: async ({ usage }) => {
      for (let round = 0; round < maxRounds; round++) {
        const keys = (await list()).filter(({ rowKey }) => usage || !isUsage(rowKey));
        if (keys.length === 0) return;
        const table = await (client ??= openTable(settings));
        await deleteKeys(table, keys.filter(isBirth));
        await deleteKeys(
          table,
          keys.filter((key) => !isBirth(key)),
        );
      }
      throw failure('the rows of the cluster are still being written', 'run the same command again in a minute');
    },
  };
}

interface Key {
  readonly partitionKey: string;
  readonly rowKey: string;
}

async function listKeys(table: TableClient, uid: string, nodes: readonly string[] | undefined): Promise<Key[]> {
  const prefix = nodePartition({ cluster: uid, node: '' });
  // The character after "_": everything of this cluster sorts before it.
  const filter = `PartitionKey ge '${prefix}' and PartitionKey lt '${prefix.slice(0, -1)}\u0060'`;
  const wanted = nodes === undefined ? undefined : new Set(nodes.map((node) => nodePartition({ cluster: uid, node })));
  const keys: Key[] = [];
  try {
    const select = ['PartitionKey', 'RowKey'];
    for await (const { partitionKey, rowKey } of table.listEntities({ queryOptions: { filter, select } })) {
      if (partitionKey === undefined || rowKey === undefined) continue;
      if (wanted === undefined || wanted.has(partitionKey)) keys.push({ partitionKey, rowKey });
    }
    return keys;
  } catch (error) {
    if (codeOf(error) === 'TableNotFound') return [];
    throw tableStop(error);
  }
}

async function deleteKeys(table: TableClient, keys: readonly Key[]): Promise<void> {
  const partitions = new Set(keys.map(({ partitionKey }) => partitionKey));
  for (const partition of partitions) {
    const own = keys.filter(({ partitionKey }) => partitionKey === partition);
    for (let at = 0; at < own.length; at += batchSize) {
      const actions = own
        .slice(at, at + batchSize)
        .map(({ partitionKey, rowKey }): TransactionAction => ['delete', { partitionKey, rowKey }]);
      try {
        await table.submitTransaction(actions);
      } catch (error) {
        // Somebody else deleted one of them: the next round lists what is left.
        if (codeOf(error) !== 'ResourceNotFound') throw tableStop(error);
      }
    }
  }
}

/** Unlike the app's own, with the SDK's retries: an operator waits rather than repeats. */
async function openTable(settings: Settings): Promise<TableClient> {
  const { TableClient } = await import('@azure/data-tables');
  const config = tableConfig(settings);
  const name = tableName(settings.INSTALLATION);
  return 'connectionString' in config
    ? TableClient.fromConnectionString(config.connectionString, name, {
        allowInsecureConnection: isInsecure(config.connectionString),
      })
    : new TableClient(config.tableEndpoint, name, config.credential);
}

/** The service's code, wherever the SDK put it. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  const details = 'details' in error ? error.details : undefined;
  if (typeof details !== 'object' || details === null || !('odataError' in details)) return undefined;
  const { odataError } = details;
  return typeof odataError === 'object' && odataError !== null && 'code' in odataError
    ? String(odataError.code)
    : undefined;
}

const tableStop = (error: unknown): Error =>
  failure(
    `Table storage: ${codeOf(error) ?? (error instanceof Error ? error.name : 'no answer')}`,
    "you need the role Storage Table Data Contributor on the app's storage account; log in with az login",
  );
