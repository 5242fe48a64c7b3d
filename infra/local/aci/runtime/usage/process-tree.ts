import { readFile, readdir } from 'node:fs/promises';
import type { ContainerUsage } from '../runtime.ts';

/** Of `times` in /proc: the same on every Linux that Node runs on. */
const nanoSecondsPerTick = 10_000_000;
const pageBytes = 4096;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  readonly pages: number;
}

/** What a process and all below it use; undefined: it is gone, or the machine has no /proc. */
export async function treeUsage(root: number): Promise<ContainerUsage | undefined> {
  const all = await readProcesses();
  const tree = new Set([root]);
  // A child has a larger id than its parent but where ids began anew; two rounds find those too.
  for (const { pid, parent } of [...all, ...all]) if (tree.has(parent)) tree.add(pid);
  const own = all.filter(({ pid }) => tree.has(pid));
  if (!own.some(({ pid }) => pid === root)) return undefined;
  const bytes = own.reduce((sum, one) => sum + one.pages * pageBytes, 0);
  return {
    cpuNanoSeconds: own.reduce((sum, one) => sum + one.ticks * nanoSecondsPerTick, 0),
    usageBytes: bytes,
    workingSetBytes: bytes,
    rssBytes: bytes,
  };
}

async function readProcesses(): Promise<readonly Process[]> {
  const names = await readdir('/proc').catch(() => []);
  const read = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readProcess));
  return read.filter((one) => one !== undefined).toSorted((left, right) => left.pid - right.pid);
}

/** After the name in brackets, which may hold anything: state, parent … (proc(5)). */
async function readProcess(name: string): Promise<Process | undefined> {
  const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  if (fields.length < 22) return undefined;
  const [, parent = 0] = fields;
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { pid: Number(name), parent, ticks, pages: fields[21] ?? 0 };
}
