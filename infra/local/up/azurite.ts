import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { Child } from '../child.ts';
import { azuriteAccount as account, createContainer } from '../storage-sas.ts';
import { registrationsContainer } from './settings.ts';

export interface Azurite {
  readonly child: Child<Endpoints>;
  /** Names the account's key and the addresses of its tables and blobs. */
  readonly connectionString: string;
  /** Of the tables. */
  readonly port: number;
}

interface Endpoints {
  readonly blob: number;
  readonly table: number;
}

/** Real Table and Blob storage on loopback; what is in them stays in the folder for the next start. */
export async function startAzurite(dir: string): Promise<Azurite> {
  const location = join(dir, 'tables');
  mkdirSync(location, { recursive: true });
  const child = await startChild({
    name: 'azurite',
    command: process.execPath,
    // The program of all three services: it alone prints the ports that it was given.
    args: [
      createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js'),
      ...['blob', 'queue', 'table'].flatMap((name) => [`--${name}Host`, '127.0.0.1', `--${name}Port`, '0']),
      '--location',
      location,
      '--skipApiVersionCheck',
      '--disableTelemetry',
    ],
    logFile: join(dir, 'logs', 'azurite.log'),
    pidDir: join(dir, 'run'),
    ready: portsOf(),
    readyTimeoutMs: 30_000,
  });
  const { blob, table } = child.value;
  const blobs = `http://127.0.0.1:${blob}/${account.name}`;
  try {
    await createContainer(blobs, registrationsContainer);
  } catch (error) {
    await child.stop(0);
    throw error;
  }
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${account.key};BlobEndpoint=${blobs};TableEndpoint=http://127.0.0.1:${table}/${account.name};`;
  return { child, connectionString, port: table };
}

/** Reads the lines in which the services say where they listen. */
function portsOf(): (line: string) => Endpoints | undefined {
  const ports = new Map<string, number>();
  return (line) => {
    const [, name, port] =
      /(Blob|Table) service is successfully listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (name !== undefined) ports.set(name, Number(port));
    const [blob, table] = [ports.get('Blob'), ports.get('Table')];
    return blob === undefined || table === undefined ? undefined : { blob, table };
  };
}
