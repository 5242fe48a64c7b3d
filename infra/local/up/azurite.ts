import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { Child } from '../child.ts';
import { allocatePort } from '../ports.ts';

/** The published key of Azurite's only account: no secret. */
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface Azurite {
  readonly child: Child<true>;
  readonly connectionString: string;
  readonly port: number;
}

/** Real Table storage on loopback; its rows stay in the folder for the next start. */
export async function startAzurite(dir: string): Promise<Azurite> {
  mkdirSync(join(dir, 'tables'), { recursive: true });
  const port = await allocatePort();
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/table/main.js');
  const child = await startChild({
    name: 'azurite',
    command: process.execPath,
    args: [
      program,
      '--tableHost',
      '127.0.0.1',
      '--tablePort',
      String(port),
      '--location',
      join(dir, 'tables'),
      '--skipApiVersionCheck',
      '--disableTelemetry',
    ],
    logFile: join(dir, 'logs', 'azurite.log'),
    pidDir: join(dir, 'run'),
    ready: (line) => (line.includes('successfully started') ? (true as const) : undefined),
    readyTimeoutMs: 30_000,
  });
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};TableEndpoint=http://127.0.0.1:${port}/${account};`;
  return { child, connectionString, port };
}
