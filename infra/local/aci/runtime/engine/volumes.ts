import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { SandboxVolume } from '../runtime.ts';

/** Folders on this machine that stand for the volumes of sandboxes: `<state>/volumes/<sandbox>/<volume>`, `<state>/shares/<account>/<share>`. */
export interface VolumeFolders {
  /** Makes the volumes of a sandbox; what is there already is made again. */
  create(sandboxId: string, volumes: readonly SandboxVolume[]): Promise<void>;
  path(sandboxId: string, volume: string): string;
  remove(sandboxId: string): Promise<void>;
  removeAll(): Promise<void>;
}

/**
 * Keeps volumes below `stateDir`, in folders which only the owner may enter: contents of secrets lie here. Scratch space and
 * shares are open to all (0777; `emptyMode` of scratch space), fixed files are 0644 in folders of 0755. File names may contain slashes but not leave the
 * volume. Shares stay when all else is removed.
 */
export function createVolumeFolders(stateDir: string, emptyMode = 0o777): VolumeFolders {
  const root = join(stateDir, 'volumes');
  const shares = join(stateDir, 'shares');
  /** By sandbox and volume. */
  const mounted = new Map<string, string>();
  return {
    async create(sandboxId, volumes) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await rm(join(root, sandboxId), { recursive: true, force: true });
      for (const volume of volumes) {
        const own = inside(join(root, sandboxId), volume.name);
        const folder = volume.kind === 'share' ? inside(shares, volume.share) : own;
        mounted.set(own, folder);
        if (volume.kind === 'share') await mkdir(shares, { recursive: true, mode: 0o700 });
        await createVolume(folder, volume, emptyMode);
      }
    },
    path: (sandboxId, volume) => {
      const own = inside(join(root, sandboxId), volume);
      return mounted.get(own) ?? own;
    },
    remove: (sandboxId) => rm(inside(root, sandboxId), { recursive: true, force: true }),
    removeAll: () => rm(root, { recursive: true, force: true }),
  };
}

async function createVolume(folder: string, volume: SandboxVolume, emptyMode: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  switch (volume.kind) {
    case 'empty':
    case 'share':
      // A mode given to mkdir is narrowed by the umask.
      await chmod(folder, volume.kind === 'empty' ? emptyMode : 0o777);
      return;
    case 'files':
      await chmod(folder, 0o755);
      for (const [name, content] of Object.entries(volume.files)) {
        const path = inside(folder, name);
        await mkdir(dirname(path), { recursive: true, mode: 0o755 });
        await writeFile(path, content);
        await chmod(path, 0o644);
      }
  }
}

function inside(folder: string, name: string): string {
  const path = resolve(folder, name);
  const way = relative(folder, path);
  if (way === '' || way.startsWith('..')) throw new Error(`"${name}" does not name something inside its folder`);
  return path;
}
