/** The door of the npm scripts, in a clone that holds nothing else. */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repository } from '../../../infra/local/up/host.ts';
import { withStateLock } from '../../../infra/local/up/state-lock.ts';
import { worthTrying } from '../../../infra/local/up/worth-trying.ts';

let clone = '';
const place = (...names: readonly string[]): string => join(clone, ...names);
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'door-'));
  for (const folder of ['infra/local', 'node_modules/node/bin']) mkdirSync(place(folder), { recursive: true });
  copyFileSync(join(repository, 'infra/local/start.mjs'), place('infra/local/start.mjs'));
  symlinkSync(process.execPath, place('node_modules/node/bin/node'));
  for (const file of ['package-lock.json', 'node_modules/.package-lock.json']) writeFileSync(place(file), '');
  writeFileSync(
    place('infra/local/up.ts'),
    `import { writeFileSync } from 'node:fs';
process.once('SIGTERM', () => {
  writeFileSync(${JSON.stringify(place('ended'))}, 'SIGTERM');
  process.exit();
});
writeFileSync(${JSON.stringify(place('started'))}, String(process.ppid));
setTimeout(() => undefined, 30_000);
`,
  );
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

async function until(file: string): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (existsSync(place(file)) && readFileSync(place(file), 'utf8') !== '') return readFileSync(place(file), 'utf8');
    await sleep(50);
  }
  throw new Error(`there is no file ${file}`);
}

describe('the door of the npm scripts', () => {
  // dash becomes the last program of its line; with a further one after it any shell stays.
  it.each(['', '; true'])('ends its program when npm was ended and handed nothing on (sh -c "…%s")', async (rest) => {
    const script = `"${process.execPath}" infra/local/start.mjs${rest}`;
    const npm = spawn(
      process.execPath,
      [
        '--eval',
        `require('node:child_process').spawn('sh', ['-c', ${JSON.stringify(script)}]); setTimeout(() => {}, 30_000)`,
      ],
      { cwd: clone, env: { ...process.env, npm_lifecycle_event: 'start' }, stdio: 'ignore' },
    );
    await until('started');
    npm.kill('SIGTERM');
    expect(await until('ended')).toBe('SIGTERM');
  });

  it('goes on where nobody but itself was started, as under nohup', async () => {
    const { npm_lifecycle_event: _, ...env } = process.env;
    const shell = spawn('sh', ['-c', `"${process.execPath}" infra/local/start.mjs & sleep 30`], {
      cwd: clone,
      env,
      stdio: 'ignore',
    });
    const door = Number(await until('started'));
    shell.kill('SIGKILL');
    await sleep(2500);
    expect(existsSync(place('ended'))).toBe(false);
    process.kill(door, 'SIGTERM');
    expect(await until('ended')).toBe('SIGTERM');
  });
});

describe('the folder of a start', () => {
  it('is named at once where nothing can be written to it', async () => {
    writeFileSync(place('file'), '');
    const work = withStateLock(place('file', 'state'), () => Promise.resolve());
    await expect(work).rejects.toThrow(/state can't be written to \(ENOTDIR.*choose another folder with --dir DIR/);
  });

  it('is in the advice, where it is not the default one', () => {
    const cloud = { kubeconfig: '/x/kubeconfig', cluster: { kind: 'real', kubectl: 'kubectl' } } as const;
    expect(worthTrying(cloud, '/x')).toContain('npm run detach -- --dir /x ');
    expect(worthTrying(cloud, undefined)).toContain('npm run detach  ');
  });
});
