import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runProgram, timedOut } from '../../../infra/cli/program.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'program-'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

it('does not wait for what a script started and left behind, as the az of packages does', async () => {
  const script = join(dir, 'az');
  const pid = join(dir, 'pid');
  writeFileSync(script, `#!/bin/sh\nsleep 30 &\necho $! > ${pid}.new; mv ${pid}.new ${pid}\nwait\n`);
  chmodSync(script, 0o755);
  const ended = runProgram(script, [], { environment: process.env, timeoutMs: 1000 });
  while (!existsSync(pid)) await new Promise(setImmediate);
  vi.advanceTimersByTime(1000);
  vi.advanceTimersByTime(5000);
  try {
    expect((await ended).code).toBe(timedOut);
  } finally {
    process.kill(Number(readFileSync(pid, 'utf8')));
  }
});
