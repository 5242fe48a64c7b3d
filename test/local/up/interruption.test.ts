import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repository } from '../../../infra/local/up/host.ts';

let dir = '';
let program = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'interruption-'));
  program = join(dir, 'program.ts');
  writeFileSync(
    program,
    `import { interruption } from ${JSON.stringify(join(repository, 'infra/local/interruption.ts'))};
const alive = setInterval(() => console.log('alive'), 50);
await interruption(() => console.error('notified'));
if (process.argv[2] === 'stops') await new Promise((resolve) => process.once('message', resolve));
if (process.argv[2] !== 'slow') clearInterval(alive);
console.error('over');
`,
  );
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Ends a program in one way, and answers how it ended and what it said on stderr. */
async function endOf(how: (child: ReturnType<typeof fork>, stderr: Readable) => unknown, ...args: readonly string[]) {
  const child = fork(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('both outputs are pipes');
  const said = text(stderr);
  const exited = once(child, 'exit');
  await once(stdout, 'data');
  stdout.resume();
  await how(child, stderr);
  const [code] = await exited;
  return { code, said: await said };
}

describe('a program that stays', () => {
  it('ends when the process that started it is gone', async () => {
    expect(await endOf((child) => child.disconnect())).toEqual({ code: 0, said: 'notified\nover\n' });
  });

  it('ends when nobody reads it any more', async () => {
    expect(await endOf((child) => child.stdout?.destroy())).toEqual({ code: 0, said: 'notified\nover\n' });
  });

  it('takes one key press for one, though its signal comes twice', async () => {
    // A signal that comes when Node.js has given up its handlers ends any process: it stops when it is asked to.
    const twice = await endOf(async (child, stderr) => {
      child.kill('SIGINT');
      await once(stderr, 'data');
      child.kill('SIGINT');
      await sleep(100);
      child.send('stop');
    }, 'stops');
    expect(twice).toEqual({ code: 0, said: 'notified\nover\n' });
  });

  it('ends at once at a second one', async () => {
    const again = async (child: ReturnType<typeof fork>, stderr: Readable): Promise<void> => {
      child.kill('SIGINT');
      await once(stderr, 'data');
      const timer = setInterval(() => child.kill('SIGINT'), 200);
      child.once('exit', () => clearInterval(timer));
    };
    expect(await endOf(again, 'slow')).toMatchObject({ code: 130 });
  });
});
