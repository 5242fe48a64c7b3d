import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * What containers find inside of their group. Of ACI each is taken to be so and documented nowhere (docs/assumptions.md), so
 * each can be turned, and a client tried against both.
 */
export interface InsideKnobs {
  /** Programs run in volumes. */
  readonly volumesRun: boolean;
  /** An emptyDir can be written to by every user. */
  readonly emptyDirForAll: boolean;
  /** /etc/hosts is one file for all containers, that is there when one is started again. */
  readonly hostsShared: boolean;
  /** Containers share an address, and 127.0.0.1. */
  readonly networkShared: boolean;
  /** Root may change users, owners and its own capabilities. */
  readonly rootMayChange: boolean;
}

/** Knobs that nobody turned. */
export const defaultInside: InsideKnobs = {
  volumesRun: true,
  emptyDirForAll: true,
  hostsShared: true,
  networkShared: true,
  rootMayChange: true,
};

/** Without which nobody changes users, owners or capabilities. */
const changing = ['CHOWN', 'FOWNER', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'];

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The members of `HostConfig` that say it; where nothing is turned those that always did. */
export const insideHost = (
  { volumesRun, networkShared, rootMayChange }: InsideKnobs,
  { mounts, pause, network }: { readonly mounts: readonly Mount[]; readonly pause: string; readonly network: string },
): object => ({
  NetworkMode: networkShared ? pause : network,
  ...(rootMayChange ? {} : { CapDrop: changing }),
  ...(volumesRun
    ? {
        Mounts: mounts.map(({ source, target, readOnly }) => ({
          Type: 'bind',
          Source: source,
          Target: target,
          ReadOnly: readOnly,
        })),
      }
    : { Binds: mounts.map(({ source, target, readOnly }) => `${source}:${target}:${readOnly ? 'ro' : 'rw'},noexec`) }),
});

/** A file of its own for a container, anew at each start. */
export async function ownHosts(source: string): Promise<Mount> {
  await mkdir(dirname(source), { recursive: true });
  await writeFile(source, '127.0.0.1 localhost\n');
  return { source, target: '/etc/hosts', readOnly: false };
}
