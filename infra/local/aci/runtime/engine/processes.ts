import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The processes whose arguments name a path below `folder`. Ours alone do: the folder's name is a hash of the state folder. */
export function processesNaming(folder: string): { pid: number; command: readonly string[] }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), command: commandOf(Number(name)) }))
    .filter(({ command }) => command.some((argument) => argument.includes(`${folder}/`)));
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Sends a signal; a process that is gone already is what was wanted. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Waits until no process names `folder` any more; those that still do after `patienceMs` are killed, by id. */
export async function outlive(folder: string, patienceMs: number): Promise<void> {
  const until = Date.now() + patienceMs;
  while (processesNaming(folder).length > 0 && Date.now() < until) await sleep(50);
  for (const { pid } of processesNaming(folder)) signal(pid, 'SIGKILL');
  while (processesNaming(folder).length > 0) await sleep(20);
}
