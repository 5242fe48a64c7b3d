import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { AuthLevel } from './definitions.ts';

const KeysFile = z.object({ masterKey: z.string().min(16), functionKey: z.string().min(16) });

/** The master key (`_master`) and the default function key of a host. */
export type HostKeys = z.infer<typeof KeysFile>;

/** Reads the keys, or makes new ones in a file that only its owner may read. */
export function loadHostKeys(file: string): HostKeys {
  try {
    return KeysFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    const keys = {
      masterKey: randomBytes(32).toString('base64url'),
      functionKey: randomBytes(32).toString('base64url'),
    };
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
    return keys;
  }
}

function sameKey(given: string, key: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(key);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Whether a request with this key (`x-functions-key`, else `code`) may call a function of this level. The master key opens all. */
export function isAuthorized(level: AuthLevel, given: string | undefined, keys: HostKeys | undefined): boolean {
  if (keys === undefined || level === 'anonymous') return true;
  if (given === undefined) return false;
  return sameKey(given, keys.masterKey) || (level === 'function' && sameKey(given, keys.functionKey));
}
