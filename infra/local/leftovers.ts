/** What a start leaves behind when it is killed, and how the next one clears it away. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const recordSchema = z.object({ pid: z.int().positive(), commandLine: z.array(z.string()).min(1) });
const suffix = '.pid.json';

/** Records that `pid`, the leader of its own process group, runs `commandLine`. Returns the file, to be removed at its end. */
export function recordProcess(dir: string, name: string, process_: { pid: number; commandLine: string[] }): string {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${name}${suffix}`);
  writeFileSync(file, JSON.stringify(process_));
  return file;
}

/**
 * Ends what an earlier start recorded in `dir` and could not end itself: SIGTERM to each process group, SIGKILL
 * `graceMs` later. A process whose command line is no longer the recorded one is somebody else's and is left alone.
 * Returns the names of those that were ended. Safe to repeat; call it before anything of `dir` is started.
 */
export async function endLeftovers(dir: string, graceMs = 3000): Promise<string[]> {
  const ended: string[] = [];
  await Promise.all(
    recordFiles(dir).map(async (name) => {
      const file = join(dir, name);
      const pid = leftoverPid(file);
      if (pid !== undefined) {
        await endGroup(pid, graceMs);
        ended.push(name.slice(0, -suffix.length));
      }
      rmSync(file, { force: true });
    }),
  );
  return ended.sort();
}

/** The command line of a running process, its arguments separated by blanks, or undefined when there is none. */
export function commandLineOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Sends `signal` to the process group that `pid` leads; false when it has no member left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

function recordFiles(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith(suffix));
  } catch {
    return [];
  }
}

/** A script's command line starts with its interpreter, hence the look at its end only. */
function leftoverPid(file: string): number | undefined {
  const record = parseRecord(readFileSync(file, 'utf8'));
  if (record === undefined) return undefined;
  const recorded = record.commandLine.join(' ');
  return commandLineOf(record.pid)?.endsWith(recorded) === true ? record.pid : undefined;
}

function parseRecord(text: string): z.infer<typeof recordSchema> | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function endGroup(pid: number, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  signalGroup(pid, 'SIGTERM');
  while (signalGroup(pid, 0) && commandLineOf(pid) !== '' && performance.now() < deadline) await sleep(50);
  signalGroup(pid, 'SIGKILL');
}
