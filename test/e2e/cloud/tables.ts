/** The app's tables, seen with the storage account's key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import * as z from 'zod';
import { dir } from './cloud.ts';

const settingsSchema = z.object({ Values: z.record(z.string(), z.string()) });

/** The app's settings as its host has them. */
export const settings = settingsSchema.parse(JSON.parse(readFileSync(join(dir, 'local.settings.json'), 'utf8'))).Values;

const connectionString = settings['AzureWebJobsStorage'] ?? '';
const options = { allowInsecureConnection: true };

async function tableNames(): Promise<string[]> {
  const service = TableServiceClient.fromConnectionString(connectionString, options);
  const names: string[] = [];
  for await (const table of service.listTables()) if (table.name !== undefined) names.push(table.name);
  return names;
}

const client = (table: string): TableClient => TableClient.fromConnectionString(connectionString, table, options);

/** All rows of all tables, as JSON. */
export async function dumpTables(): Promise<string[]> {
  const rows: string[] = [];
  for (const table of await tableNames()) {
    for await (const row of client(table).listEntities()) rows.push(JSON.stringify({ table, ...row }));
  }
  return rows;
}

/** Deletes every row that is there now; gives their number. */
export async function emptyTables(): Promise<number> {
  let count = 0;
  for (const table of await tableNames()) {
    for await (const row of client(table).listEntities()) {
      await client(table).deleteEntity(row.partitionKey ?? '', row.rowKey ?? '');
      count += 1;
    }
  }
  return count;
}

/** Deletes the tables themselves. */
export async function deleteTables(): Promise<void> {
  for (const table of await tableNames()) await client(table).deleteTable();
}
