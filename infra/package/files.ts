import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/** All files below a folder, as sorted paths with `/` relative to it; none when the folder is absent. */
export function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => statSync(join(folder, file)).isFile())
      .map((file) => file.replaceAll(sep, '/'))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Whether both folders hold the same files with the same bytes. */
export function sameFolders(left: string, right: string): boolean {
  const files = filesOf(left);
  if (files.join('\n') !== filesOf(right).join('\n')) return false;
  return files.every((file) => readFileSync(join(left, file)).equals(readFileSync(join(right, file))));
}

/** A hash over names and bytes of all files that are, or are below, the named ones; an absent one counts as such. */
export function fingerprint(root: string, names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const name of names) {
    const place = join(root, name);
    const files = existsSync(place) && statSync(place).isFile() ? [''] : filesOf(place);
    for (const file of files) {
      const bytes = readFileSync(join(place, file));
      hash.update(`${name}\0${file}\0${bytes.length}\0`).update(bytes);
    }
  }
  return hash.digest('hex');
}

/** Its text; empty where it is not there, or can't be read. */
export function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
