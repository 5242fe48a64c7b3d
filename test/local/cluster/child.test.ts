import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeExit, startChild } from '../../../infra/local/child.ts';
import { commandLineOf, endLeftovers, recordProcess } from '../../../infra/local/leftovers.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'child-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const shell = (script: string) => ({
  name: 'sample',
  command: 'sh',
  args: ['-c', script],
  logFile: join(dir, 'logs', 'sample.log'),
  readyTimeoutMs: 5000,
});
const port = (line: string): number | undefined => {
  const match = /^port (\d+)$/.exec(line)?.[1];
  return match === undefined ? undefined : Number(match);
};

describe('a child', () => {
  it('is ready with what its line says, and its whole output is in the log', async () => {
    const child = await startChild({ ...shell('echo hello; echo port 17 >&2; exec sleep 60'), ready: port });
    expect(child.value).toBe(17);
    expect(await child.stop(1000)).toEqual({ code: null, signal: 'SIGTERM' });
    expect(readFileSync(child.logFile, 'utf8')).toContain('hello\n');
    expect(commandLineOf(child.pid)).toBeUndefined();
  });

  it('that ends before it is ready is an error with its last lines and the log', async () => {
    const failure = startChild({ ...shell('echo no such thing; exit 3'), ready: port });
    await expect(failure).rejects.toThrow(
      /sample exited with code 3; its last lines:\nno such thing\n\(log: .*sample\.log\)/,
    );
  });

  it('that is late is killed', async () => {
    const failure = startChild({ ...shell('echo waiting $$; exec sleep 60'), readyTimeoutMs: 300, ready: port });
    const message = await failure.then(String, String);
    expect(message).toContain('was not ready within 0.3 s');
    expect(commandLineOf(Number(/waiting (\d+)/.exec(message)?.[1]))).toBeUndefined();
  });

  it('that ignores SIGTERM gets SIGKILL after its grace, and so does what it started', async () => {
    const script = 'trap "" TERM; sleep 61 & echo port $!; while :; do sleep 0.05; done';
    const child = await startChild({ ...shell(script), ready: port });
    expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' });
    await expect.poll(() => commandLineOf(child.value) ?? '').toBe('');
    expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('that ends by itself says how', async () => {
    const child = await startChild(shell('echo bye; exit 4'));
    expect(describeExit(child, await child.exited)).toMatch(/^sample exited with code 4; its last lines:\nbye\n/);
  });

  it('reads what it is sent', async () => {
    const child = await startChild({ ...shell('read line; echo "port $line"; cat'), stdin: 'pipe' });
    child.stdin?.end('23\n');
    await child.exited;
    expect(child.lastLines()).toBe('port 23');
  });

  it('leaves no record when it has ended', async () => {
    const child = await startChild({ ...shell('exec sleep 60'), pidDir: join(dir, 'run') });
    expect(readdirSync(join(dir, 'run'))).toEqual(['sample.pid.json']);
    await child.stop(1000);
    expect(readdirSync(join(dir, 'run'))).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('does not outlive the process that started it', async () => {
    const script = `
      import { startChild } from ${JSON.stringify(join(import.meta.dirname, '../../../infra/local/child.ts'))};
      const child = await startChild({ name: 'grandchild', command: 'sleep', args: ['62'], logFile: ${JSON.stringify(join(dir, 'g.log'))} });
      console.log('port ' + child.pid);
      setInterval(() => {}, 1000);`;
    const parent = await startChild({
      name: 'parent',
      command: process.execPath,
      args: ['--input-type=module', '-e', script],
      logFile: join(dir, 'parent.log'),
      readyTimeoutMs: 10_000,
      ready: port,
    });
    process.kill(parent.pid, 'SIGKILL');
    await parent.exited;
    await expect.poll(() => commandLineOf(parent.value) ?? '').toBe('');
  });
});

describe('what an earlier start left behind', () => {
  it('is ended by the next one', async () => {
    const commandLine = ['sh', '-c', 'trap "" TERM; sleep 63'];
    const child = await startChild(shell('trap "" TERM; sleep 63'));
    // A process that is just being replaced (by setpriv, which starts it) has no command line for a moment.
    await expect.poll(() => commandLineOf(child.pid)).toBe(commandLine.join(' '));
    recordProcess(dir, 'lost', { pid: child.pid, commandLine });
    const ended = endLeftovers(dir, 100);
    await child.exited;
    expect(await ended).toEqual(['lost']);
    expect(readdirSync(dir).filter((name) => name.endsWith('.json'))).toEqual([]);
  });

  it('is left alone when the process id is somebody else by now', async () => {
    const child = await startChild(shell('exec sleep 64'));
    recordProcess(dir, 'lost', { pid: child.pid, commandLine: ['etcd', '--data-dir', '/x'] });
    expect(await endLeftovers(dir)).toEqual([]);
    await expect.poll(() => commandLineOf(child.pid)).toBe('sleep 64');
    await child.stop(1000);
  });

  it('is nothing in a folder that does not exist', async () => {
    expect(await endLeftovers(join(dir, 'absent'))).toEqual([]);
  });
});
