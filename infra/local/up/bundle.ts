import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { packageApp } from '../../package/dist.ts';
import { unpack } from '../../package/zip.ts';
import { repository } from './host.ts';

/** The folder that the host of the cloud in `dir` runs: what its app's package holds and nothing more. */
export const appFolder = (dir: string): string => join(dir, 'app');

/**
 * Builds and packs the app, the relay and the agent into `dist`, and deploys the app's package to the cloud in `dir`. An agent
 * that can't be built is left out, with a line to `say`; without that it is an error.
 */
export async function bundle(dir: string, say?: (line: string) => void): Promise<void> {
  const onNoAgent = say && ((why: string): void => say(`the agent could not be built: ${why}`));
  deployApp(dir, (await packageApp(repository, onNoAgent)).bytes);
}

/**
 * What a zip deployment does: unpacks the package beside the one in use and makes it the app's. Workers that run keep
 * the old one to their end, whatever chunk they have yet to load; the host's next ones (after a restart) load the new one.
 * The package before that one is removed. Repeating it changes nothing.
 */
export function deployApp(dir: string, zip: Uint8Array): void {
  const packages = join(dir, 'packages');
  mkdirSync(packages, { recursive: true });
  const name = createHash('sha256').update(zip).digest('hex').slice(0, 16);
  const folder = join(packages, name);
  const present = readdirSync(packages);
  if (!present.includes(name)) {
    const half = mkdtempSync(join(packages, '.half-'));
    unpack(zip, half);
    renameSync(half, folder);
  }
  const kept = new Set([name, inUse(dir)]);
  const link = join(dir, `.app-${process.pid}`);
  rmSync(link, { force: true });
  symlinkSync(folder, link, 'junction');
  renameSync(link, appFolder(dir));
  for (const other of present) if (!kept.has(other)) rmSync(join(packages, other), { recursive: true, force: true });
}

/** Name of the package that the app's folder leads to. */
function inUse(dir: string): string | undefined {
  try {
    return basename(realpathSync(appFolder(dir)));
  } catch {
    return undefined;
  }
}
