import { readdirSync, readFileSync } from 'node:fs';

/** Processor time that all threads of a process have used so far, in ms; 0 where it has gone. Of the kernel's own account, in ns. */
export function processorMs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((total, thread) => {
      const [used = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      return total + Number(used) / 1e6;
    }, 0);
  } catch {
    return 0;
  }
}

export interface Memory {
  /** Resident, with what it shares with others. */
  readonly residentMB: number;
  /** Resident, its share of what is shared. */
  readonly ownMB: number;
  /** The most that was ever resident. */
  readonly peakMB: number;
}

/** Memory of a process; undefined where it has gone. MB are 1,000,000 bytes. */
export function memoryOf(pid: number): Memory | undefined {
  const read = (file: string, name: string): number => {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
    return (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6;
  };
  try {
    return {
      residentMB: read('smaps_rollup', 'Rss'),
      ownMB: read('smaps_rollup', 'Pss'),
      peakMB: read('status', 'VmHWM'),
    };
  } catch {
    return undefined;
  }
}
