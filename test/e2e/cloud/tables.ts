/** The app's tables, seen with the storage account's key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RestError, TableClient, TableServiceClient } from '@azure/data-tables';
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
  for (const table of await tableNames())
    for await (const row of client(table).listEntities()) rows.push(JSON.stringify({ table, ...row }));
  return rows;
}

/** Deletes every row that is there now; gives their number. */
export async function emptyTables(): Promise<number> {
  let count = 0;
  for (const table of await tableNames())
    for await (const row of client(table).listEntities())
      count += (await deleteRow(table, row.partitionKey ?? '', row.rowKey ?? '')) ? 1 : 0;
  return count;
}

/** False when the app was faster: its due keys move while they are read. */
async function deleteRow(table: string, partitionKey: string, rowKey: string): Promise<boolean> {
  try {
    await client(table).deleteEntity(partitionKey, rowKey);
    return true;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return false;
    throw error;
  }
}

/** Deletes the tables themselves. */
export async function deleteTables(): Promise<void> {
  for (const table of await tableNames()) await client(table).deleteTable();
}
