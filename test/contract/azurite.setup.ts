import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';
import { azuriteAccount as account } from '../../infra/local/storage-sas.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a real Azurite, in memory, on loopback. */
    readonly tableConnectionString: string;
    /** `http://127.0.0.1:PORT/devstoreaccount1` of the same Azurite's Blob service. */
    readonly blobEndpoint: string;
  }
}

const startTimeoutMs = 30_000;

interface Endpoints {
  readonly blob: string;
  readonly table: string;
}

const listening = /(Blob|Table) service is successfully listening at (http:\/\/127\.0\.0\.1:\d+)/;

/** One Azurite for all contract tests: the combined binary, because it alone prints the port that it was given. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = dirname(createRequire(import.meta.url).resolve('azurite/package.json'));
  const flags = ['--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck'];
  const ports = ['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'];
  const child = spawn(process.execPath, [join(folder, 'dist/src/azurite.js'), ...flags, ...ports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const urls = new Map<string, string>();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const endpoints = new Promise<Endpoints>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it did not say that it listens')), startTimeoutMs);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const [, service, url] = listening.exec(line) ?? [];
        if (service === undefined || url === undefined) return;
        urls.set(service, url);
        const [blob, table] = [urls.get('Blob'), urls.get('Table')];
        if (blob === undefined || table === undefined) return;
        clearTimeout(timer);
        resolve({ blob, table });
      });
    void exited.then(() => reject(new Error('it ended')));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const { blob, table } = await endpoints;
    project.provide(
      'tableConnectionString',
      `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${account.key};TableEndpoint=${table}/${account.name};`,
    );
    project.provide('blobEndpoint', `${blob}/${account.name}`);
  } catch (error) {
    await stop();
    throw new Error(`Azurite did not start: ${String(error)}\n${lines.join('\n')}`, { cause: error });
  }
  return stop;
}
