import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import type { Zippable } from 'fflate';
import { filesOf } from './files.ts';

/** An entry's mode is in the upper half of its attributes when the zip says that a Unix made it. */
const unix = 3;
const regularFile = 0o100644 * 0x10000;
/** A zip holds local times: the first moment it can express, wherever it is packed. */
const firstMoment = new Date(1980, 0, 1);

/**
 * A zip of all files below the folder, the folder's own name not included, as zip deploy wants it. The same files give
 * the same bytes: names are sorted, times and modes fixed, and the compressor is the package's own code.
 */
export function packFolder(folder: string): Uint8Array {
  const entries: Zippable = {};
  for (const file of filesOf(folder))
    entries[file] = [
      new Uint8Array(readFileSync(join(folder, file))),
      { level: 9, mtime: firstMoment, os: unix, attrs: regularFile },
    ];
  return zipSync(entries);
}

/** Writes the zip's files below the folder, which it creates. */
export function unpack(zip: Uint8Array, folder: string): void {
  for (const [name, bytes] of Object.entries(unzipSync(zip))) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}
