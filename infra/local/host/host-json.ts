import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/** What the host takes from host.json. */
export interface HostJson {
  /** Prefix of all routes, without slashes; may be empty. */
  routePrefix: string;
  /** Undefined means no limit (`-1`). */
  functionTimeoutMs: number | undefined;
  /** Category prefix → least level, as written. */
  logLevel: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 30 * 60_000;

const Shape = z.looseObject({
  functionTimeout: z.string().optional(),
  extensions: z.looseObject({ http: z.looseObject({ routePrefix: z.string().optional() }).optional() }).optional(),
  logging: z.looseObject({ logLevel: z.record(z.string(), z.string()).optional() }).optional(),
});

/** A .NET TimeSpan (`[d.]hh:mm:ss`) in milliseconds; `-1` is no limit. */
export function parseTimeSpan(text: string): number | undefined {
  if (text === '-1') {
    return undefined;
  }
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(text);
  if (match === null) {
    throw new Error(`"${text}" is no time span such as 00:30:00`);
  }
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
  };
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
