import { accessSync, constants, readFileSync } from 'node:fs';
import { parseConfig } from './config.ts';
import type { NamedFile, RelayConfig } from './config.ts';

/** Reads a configuration and looks for the files that are needed of it. Throws one sentence a fault, all at once. */
export function readConfig(path: string, neededFiles: (config: RelayConfig) => readonly NamedFile[]): RelayConfig {
  const parsed = parseConfig(readFileSync(path, 'utf8'));
  if (!parsed.ok) throw new Error([`${path} is not valid:`, ...parsed.faults.map((fault) => `  ${fault}`)].join('\n'));
  const missing = neededFiles(parsed.value).filter(({ path: file }) => !isReadable(file));
  if (missing.length > 0) {
    const lines = missing.map(({ field, path: file }) => `  ${field}: ${file} can not be read`);
    throw new Error([`${path} names files that are not there:`, ...lines].join('\n'));
  }
  return parsed.value;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
