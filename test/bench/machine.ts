import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Where the figures were taken. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly date: string;
  readonly commit: string;
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** Says what the machine is now; the answer is completed at the end of the run. */
export function describeMachine(repository: string): () => Machine {
  const loadBefore = loadavg()[0] ?? 0;
  const date = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return () => ({
    cores: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown processor',
    memoryGiB: totalmem() / 1024 ** 3,
    node: process.version,
    date,
    commit: commitOf(repository),
    loadBefore,
    loadAfter: loadavg()[0] ?? 0,
  });
}

function commitOf(repository: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const isDirty = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${isDirty ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
