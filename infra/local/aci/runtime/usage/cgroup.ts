import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerUsage } from '../runtime.ts';

/** Of this machine; tests have other folders. */
const machine = { proc: '/proc', cgroups: '/sys/fs/cgroup' };

/** What a container uses, by the control groups of its first process, of either version; undefined: it is gone, or has none of its own. */
export async function cgroupUsage(pid: number, { proc, cgroups } = machine): Promise<ContainerUsage | undefined> {
  try {
    const lines = (await readFile(join(proc, String(pid), 'cgroup'), 'utf8')).split('\n');
    const unified = lines.find((line) => line.startsWith('0::'))?.slice(3) ?? '/';
    const folderOf = (controller: string): string | undefined => {
      const line = lines.find((one) => one.split(':')[1]?.split(',').includes(controller) === true);
      const path = line?.split(':').slice(2).join(':');
      return path === undefined || path === '/' ? undefined : join(cgroups, controller, path);
    };
    const [cpu, memory] = [folderOf('cpuacct'), folderOf('memory')];
    // Awaited here, so that a file which has gone is nothing.
    if (cpu !== undefined && memory !== undefined) return await usageOfV1(cpu, memory);
    return unified === '/' ? undefined : await usageOfV2(join(cgroups, unified));
  } catch {
    return undefined;
  }
}

async function usageOfV1(cpu: string, memory: string): Promise<ContainerUsage> {
  const [used, bytes, stat] = await Promise.all([
    readFile(join(cpu, 'cpuacct.usage'), 'utf8'),
    readFile(join(memory, 'memory.usage_in_bytes'), 'utf8'),
    readStat(join(memory, 'memory.stat')),
  ]);
  return usage(Number(used), Number(bytes), {
    inactiveFile: stat('total_inactive_file'),
    rss: stat('total_rss'),
  });
}

async function usageOfV2(folder: string): Promise<ContainerUsage> {
  const [cpu, bytes, stat] = await Promise.all([
    readStat(join(folder, 'cpu.stat')),
    readFile(join(folder, 'memory.current'), 'utf8'),
    readStat(join(folder, 'memory.stat')),
  ]);
  return usage(cpu('usage_usec') * 1000, Number(bytes), { inactiveFile: stat('inactive_file'), rss: stat('anon') });
}

/** A kubelet's own reckoning: the working set is what is not a file that nobody has used for a while. */
const usage = (
  cpuNanoSeconds: number,
  usageBytes: number,
  { inactiveFile, rss }: { readonly inactiveFile: number; readonly rss: number },
): ContainerUsage => ({
  cpuNanoSeconds,
  usageBytes,
  workingSetBytes: Math.max(0, usageBytes - inactiveFile),
  rssBytes: rss,
});

/** A file of lines `name number`. */
async function readStat(file: string): Promise<(name: string) => number> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(' '));
  const values = new Map(lines.map(([name = '', value = '0']) => [name, Number(value)]));
  return (name) => values.get(name) ?? 0;
}
