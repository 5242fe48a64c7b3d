import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a real Azurite, in memory, on loopback. */
    readonly tableConnectionString: string;
  }
}

const startTimeoutMs = 30_000;
/** Azurite's well-known development account. */
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** One Azurite for all contract tests: the combined binary, because it alone prints the port that it was given. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = dirname(createRequire(import.meta.url).resolve('azurite/package.json'));
  const flags = ['--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck'];
  const ports = ['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'];
  const child = spawn(process.execPath, [join(folder, 'dist/src/azurite.js'), ...flags, ...ports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const endpoint = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it did not say that it listens')), startTimeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const url = /Table service is successfully listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
    }
    void exited.then(() => reject(new Error('it ended')));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const url = await endpoint;
    project.provide(
      'tableConnectionString',
      `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};TableEndpoint=${url}/${account};`,
    );
  } catch (error) {
    await stop();
    throw new Error(`Azurite did not start: ${String(error)}\n${lines.join('\n')}`, { cause: error });
  }
  return stop;
}
