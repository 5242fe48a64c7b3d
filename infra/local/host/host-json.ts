import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { LockTimes } from './listener-lock.ts';

/** What the host takes from host.json. */
export interface HostJson {
  /** Prefix of all routes, without slashes; may be empty. */
  readonly routePrefix: string;
  /** Undefined means no limit (`-1`). */
  readonly functionTimeoutMs: number | undefined;
  /** Category prefix → least level, as written. */
  readonly logLevel: Readonly<Record<string, string>>;
  /** Of timers: how long a lock lasts, and how often it is tried for. */
  readonly lockTimes: LockTimes;
}

const DEFAULT_TIMEOUT_MS = 30 * 60_000;
const DEFAULT_LOCK_MS = 60_000;
/** What a lease of a blob can be, and so what the host takes. */
const SHORTEST_LOCK_MS = 15_000;
const LONGEST_LOCK_MS = 60_000;

const Shape = z.looseObject({
  functionTimeout: z.string().optional(),
  extensions: z.looseObject({ http: z.looseObject({ routePrefix: z.string().optional() }).optional() }).optional(),
  singleton: z
    .looseObject({
      listenerLockPeriod: z.string().optional(),
      listenerLockRecoveryPollingInterval: z.string().optional(),
    })
    .optional(),
  logging: z.looseObject({ logLevel: z.record(z.string(), z.string()).optional() }).optional(),
});

/** A .NET TimeSpan (`[d.]hh:mm:ss`) in milliseconds; `-1` is no limit. */
export function parseTimeSpan(text: string): number | undefined {
  if (text === '-1') return undefined;
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(text);
  if (match === null) throw new Error(`"${text}" is no time span such as 00:30:00`);
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}

/** Maps the JSON of host.json; missing members have the values of the Flex plan. */
export function parseHostJson(json: unknown): HostJson {
  const parsed = Shape.parse(json);
  return {
    routePrefix: (parsed.extensions?.http?.routePrefix ?? 'api').replaceAll(/^\/+|\/+$/g, ''),
    functionTimeoutMs:
      parsed.functionTimeout === undefined ? DEFAULT_TIMEOUT_MS : parseTimeSpan(parsed.functionTimeout),
    logLevel: parsed.logging?.logLevel ?? {},
    lockTimes: {
      periodMs: lockTime('listenerLockPeriod', parsed.singleton?.listenerLockPeriod, LONGEST_LOCK_MS),
      pollMs: lockTime(
        'listenerLockRecoveryPollingInterval',
        parsed.singleton?.listenerLockRecoveryPollingInterval,
        Number.POSITIVE_INFINITY,
      ),
    },
  };
}

/** A time that the real host refuses keeps it from starting. */
function lockTime(name: string, text: string | undefined, longestMs: number): number {
  const ms = text === undefined ? DEFAULT_LOCK_MS : parseTimeSpan(text);
  if (ms === undefined || ms < SHORTEST_LOCK_MS || ms > longestMs) {
    const range = longestMs === LONGEST_LOCK_MS ? '15 s to a minute' : '15 s or more';
    throw new Error(`singleton.${name} wants ${range}, not "${text}"`);
  }
  return ms;
}

/** Reads host.json of an app; an absent file is an empty one, a broken one throws a sentence. */
export function readHostJson(appRoot: string): HostJson {
  const file = path.join(appRoot, 'host.json');
  let text = '{}';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // No host.json: the defaults.
  }
  try {
    return parseHostJson(JSON.parse(text));
  } catch (thrown) {
    throw new Error(`host.json cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      cause: thrown,
    });
  }
}
