/** A lock between processes of one machine: a file that its holder keeps fresh. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const refreshMs = 2000;
/** A file not refreshed for so long is that of a holder that hangs or died on another machine of the same home folder. */
const staleMs = 60_000;
const retryMs = 250;

/**
 * Runs `work` while no other process runs under the same lock file. Whoever finds it taken is reported once (`onWait`) and
 * waits for as long as it takes; the lock of a process that has died is taken over. Rejects when the folder can't be
 * written to.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  let reported = false;
  while (!tryLock(file)) {
    if (!reported) onWait?.();
    reported = true;
    await sleep(retryMs);
  }
  const refresher = setInterval(() => touch(file), refreshMs);
  try {
    return await work();
  } finally {
    clearInterval(refresher);
    rmSync(file, { force: true });
  }
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    // Only this says that somebody has it; waiting for anything else would be for ever.
    if (!isCode(error, 'EEXIST')) throw error;
    if (isStale(file)) discard(file);
    return false;
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** An empty file is one whose holder is between creating and writing it: only its age counts. */
function isStale(file: string): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > staleMs) return true;
    const holder = Number(readFileSync(file, 'utf8'));
    return holder > 0 && !isAlive(holder);
  } catch {
    return false;
  }
}

/** By renaming: of two that find the same stale lock, one moves it away and the other finds nothing to move. */
function discard(file: string): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    // Gone: somebody else was faster.
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // gone: the folder was removed under us
  }
}
