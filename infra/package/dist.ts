/** `dist/`, shared by all who work in one clone. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFileLock } from '../local/file-lock.ts';
import { buildInto, describePackage } from './build.ts';
import { sameFolders } from './files.ts';
import { packFolder } from './zip.ts';

const folders = ['app', 'relay', 'chart', 'cli', 'maps'] as const;

/**
 * Builds `dist/` of the repository anew. The bundles are made beside it and moved in when they are whole and only where
 * a byte differs: whoever reads a folder finds the old one or the new one. One builds at a time; the others wait.
 */
export async function buildDist(repository: string): Promise<void> {
  await inDist(repository, (dist) => renew(dist, repository));
}

export interface AppPackage {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Builds `dist/` and packs the app: `dist/serverless-kubelet-app-<version>.zip`, the same bytes from the same sources. */
export async function packageApp(repository: string): Promise<AppPackage> {
  return inDist(repository, async (dist) => {
    await renew(dist, repository);
    const bytes = packFolder(join(dist, 'app'));
    const { name, version } = describePackage(repository);
    const file = join(dist, `${name}-app-${version}.zip`);
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
    return { file, bytes };
  });
}

async function inDist<T>(repository: string, work: (dist: string) => Promise<T>): Promise<T> {
  const dist = join(repository, 'dist');
  mkdirSync(dist, { recursive: true });
  return withFileLock(join(dist, '.lock'), () => work(dist));
}

async function renew(dist: string, repository: string): Promise<void> {
  for (const left of readdirSync(dist)) if (left.startsWith('.build-')) rmSync(join(dist, left), { recursive: true });
  const built = mkdtempSync(join(dist, '.build-'));
  try {
    await buildInto(built, repository);
    for (const name of folders) replace(join(dist, name), join(built, name), join(built, `old-${name}`));
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

function replace(folder: string, by: string, aside: string): void {
  if (sameFolders(folder, by)) return;
  if (existsSync(folder)) renameSync(folder, aside);
  if (existsSync(by)) renameSync(by, folder);
}
