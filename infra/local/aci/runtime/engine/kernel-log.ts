import { closeSync, constants, openSync, readSync } from 'node:fs';

const longestRecord = 8192;

/**
 * Whether the kernel's log says that it ended a process of this container for want of memory. Needed beside the
 * engine's word: Podman 4's service looks for its monitors' notice in another folder than they write it to, and so
 * never says it. False where the log may not be read.
 */
export function kernelSaysOutOfMemory(containerId: string): boolean {
  return kernelRecords().some((record) => isOutOfMemoryRecord(record, containerId));
}

/** A record like `…;oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/libpod_parent/libpod-<id>,…`. */
export function isOutOfMemoryRecord(record: string, containerId: string): boolean {
  return record.includes('oom-kill:constraint=CONSTRAINT_MEMCG') && record.includes(containerId);
}

/** `/dev/kmsg` gives one record for each read, and without O_NONBLOCK waits for more at the end. */
function kernelRecords(): string[] {
  const records: string[] = [];
  try {
    const file = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(longestRecord);
      for (;;) records.push(buffer.toString('utf8', 0, readRecord(file, buffer)));
    } finally {
      closeSync(file);
    }
  } catch {
    // EAGAIN at the end; ENOENT, EACCES and EPERM where there is no log for us.
    return records;
  }
}

function readRecord(file: number, buffer: Buffer): number {
  try {
    return readSync(file, buffer);
  } catch (error) {
    // The oldest records were overwritten meanwhile; the next read goes on behind them.
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return 0;
    throw error;
  }
}
