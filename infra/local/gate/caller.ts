/** Which process is at the other end of a loopback connection: Linux only, by what the kernel shows in /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The one of `pids` that holds the connection from `callerPort` to `ownPort`, both on 127.0.0.1; undefined when none of
 * them does (the connection is closed, or somebody else's).
 */
export function findCaller(callerPort: number, ownPort: number, pids: readonly number[]): number | undefined {
  const inode = inodeOf(`0100007F:${hexPort(callerPort)}`, `0100007F:${hexPort(ownPort)}`);
  return inode === undefined ? undefined : pids.find((pid) => holds(pid, `socket:[${inode}]`));
}

const hexPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

/** A line of /proc/net/tcp: slot, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode … */
function inodeOf(local: string, remote: string): string | undefined {
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find((fields) => fields[1] === local && fields[2] === remote);
  const inode = line?.[9];
  return inode === undefined || inode === '0' ? undefined : inode;
}

function holds(pid: number, socket: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => linkOf(`${folder}/${name}`) === socket);
  } catch {
    return false; // it has ended
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed meanwhile
  }
}
