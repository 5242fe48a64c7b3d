import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLineOf } from '../leftovers.ts';
import { withFileLock } from '../../package/file-lock.ts';

/** Runs `work` as the only cloud of this folder; throws when another one runs there, or nothing can be written there. */
export async function withStateLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const file = join(dir, 'lock');
  const holder = readHolder(file);
  if (holder !== undefined && commandLineOf(holder) !== undefined)
    throw new Error(`${dir} is in use by process ${holder}; stop it, or choose another folder with --dir DIR`);
  makeWritable(dir);
  return withFileLock(file, work);
}

function makeWritable(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${dir} can't be written to (${why}): choose another folder with --dir DIR`, { cause: error });
  }
}

function readHolder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
