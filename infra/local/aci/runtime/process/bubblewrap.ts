import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A folder of this machine at its place in the container. */
export interface BoundMount {
  readonly source: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
}

export interface WrapOptions {
  readonly hostname: string;
  /** Writable, at its own path. */
  readonly home: string;
  readonly mounts: readonly BoundMount[];
}

/**
 * Arguments of `bwrap` (without the command) for a process that sees this machine's files read-only, a /tmp and a HOME of
 * its own, its mounts at their paths, and no processes but its own. They name what is in
 * the machine's folders at this moment, and fail when it has gone by the time that bubblewrap binds it.
 */
export function bubblewrapArguments(options: WrapOptions): string[] {
  const places = options.mounts.map((mount) => ({ ...mount, mountPath: resolvedPlace(mount.mountPath) }));
  // A mount point that does not exist can only be made in a folder of the container's own: one with the same entries.
  const opened = [...new Set(places.map(({ mountPath }) => existingAncestor(mountPath)))].toSorted();
  return [
    ['--unshare-pid', '--unshare-uts', '--as-pid-1', '--die-with-parent'],
    ['--hostname', options.hostname],
    entries('/'),
    ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...opened
      .filter((folder) => folder !== '/' && folder !== '/tmp')
      .map((folder) => ['--tmpfs', folder, ...entries(folder)]),
    ['--bind', options.home, options.home, '--chdir', options.home],
    ...places.map((mount) => [mount.readOnly ? '--ro-bind' : '--bind', mount.source, mount.mountPath]),
    ['--'],
  ].flat();
}

const apart = new Set(['/proc', '/dev', '/tmp']);

function entries(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (apart.has(path)) return [];
    // What has gone since the folder was read is not there for the container either.
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return [];
    return found.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
  });
}

/** The folder that a missing mount point must be made in; the parent of one that exists. */
function existingAncestor(path: string): string {
  let folder = dirname(path);
  while (!exists(folder)) folder = dirname(folder);
  return exists(path) ? '/' : folder;
}

/** Mount points behind links (`/var/run` leads to `/run`) are meant where the links lead. */
function resolvedPlace(path: string): string {
  let folder = path;
  while (!exists(folder)) folder = dirname(folder);
  return join(realpathSync(folder), path.slice(folder.length));
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
