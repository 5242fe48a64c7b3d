import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { birthKey, nodePartition } from '../../../shared/adapters/tables/keys.ts';
import { tableName } from '../../../shared/adapters/tables/table-store.ts';
import { timing } from '../../../shared/core/reconcile/timing.ts';
import { installation } from './settings.ts';

/** Whether the folder holds neither tables nor groups: what is started in it then has no past. Asked before anything is started. */
export const isFirstStart = (dir: string): boolean => !existsSync(join(dir, 'tables')) && !existsSync(join(dir, 'aci'));

/**
 * Writes the nodes' birth markers as of a minute ago. Their minute is for a PUT that was sent before the tables were
 * lost and is still under way; where ARM itself came to be together with the tables, in this very start, there can be
 * none. For a first start with the emulator alone: anywhere else only the app writes a marker, of now.
 */
export async function writeBirthMarkers(
  connectionString: string,
  { clusterUid, nodes }: { readonly clusterUid: string; readonly nodes: readonly string[] },
): Promise<void> {
  const table = TableClient.fromConnectionString(connectionString, tableName(installation), {
    allowInsecureConnection: true,
  });
  await table.createTable();
  const rowKey = birthKey(Date.now() - timing.birthMs);
  for (const node of nodes)
    await table.createEntity({ partitionKey: nodePartition({ cluster: clusterUid, node }), rowKey, body: '' });
}
