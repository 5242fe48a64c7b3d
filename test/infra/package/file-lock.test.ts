import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFileLock } from '../../../infra/package/file-lock.ts';

let file = '';
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
  file = join(dir, 'sub', 'build.lock');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a file lock', () => {
  it.runIf(process.platform === 'linux')('waits for nobody where it cannot be written', async () => {
    await expect(withFileLock('/proc/self/build.lock', () => Promise.resolve())).rejects.toThrow(/ENOENT|EACCES|EPERM/);
  });

  it('lets one work at a time, and reports the other that it waits', async () => {
    const events: string[] = [];
    const first = Promise.withResolvers<void>();
    const one = withFileLock(file, async () => {
      events.push('one starts');
      await first.promise;
      events.push('one ends');
    });
    const two = withFileLock(
      file,
      async () => void events.push('two'),
      () => {
        events.push('two waits');
        first.resolve();
      },
    );
    await Promise.all([one, two]);
    expect(events).toEqual(['one starts', 'two waits', 'one ends', 'two']);
    expect(existsSync(file)).toBe(false);
  });

  it('is given back when the work fails', async () => {
    await expect(withFileLock(file, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(existsSync(file)).toBe(false);
  });

  it('of a process that has died is taken over', async () => {
    const flat = join(dir, 'dead.lock');
    writeFileSync(flat, '4194303');
    expect(await withFileLock(flat, async () => 'done')).toBe('done');
  });

  it('that nobody has refreshed for long is taken over', async () => {
    const flat = join(dir, 'old.lock');
    writeFileSync(flat, String(process.pid));
    const past = new Date(Date.now() - 120_000);
    utimesSync(flat, past, past);
    expect(await withFileLock(flat, async () => 'done')).toBe('done');
  });
});
