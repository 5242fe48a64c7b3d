import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from '../../core/fault.ts';
import { parseRegistryError } from '../../wire/registry/answers.ts';
import { parseHttpDate } from '../kubernetes/http-date.ts';

/** What a server answered, its body read to the end. */
export interface RegistryAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** By another origin than the one that was asked. */
  readonly isElsewhere: boolean;
}

/** Docker Hub's limit is one of hours, and it often names no time. */
const defaultRetryAfterMs = 60_000;
const longestRetryAfterMs = 3_600_000;

const codes: ReadonlyMap<number, string> = new Map([
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
]);

/**
 * The one place where a registry's status becomes a fault. `host` is who answered, `what` what was asked for; of the body
 * only the first error is reported, as the distribution specification words them.
 */
export function registryFault(
  { status, headers, body }: Omit<RegistryAnswer, 'isElsewhere'>,
  host: string,
  what: string,
): Fault {
  const error = parseRegistryError(body.toString('utf8'));
  const reported = error === undefined || error.message === '' ? '' : `: ${error.message}`;
  const message = `${host} answered ${status} for ${what}${reported}`;
  const code = error?.code ?? codes.get(status) ?? `HTTP${status}`;
  switch (status) {
    case 401:
    case 403:
      return { kind: 'denied', code, message };
    case 404:
      return { kind: 'not-found', code, message };
    case 429:
      return { kind: 'throttled', retryAfterMs: retryAfterMs(headers), message };
    case 408:
      return { kind: 'transient', message };
    default:
      return status >= 400 && status < 500 ? { kind: 'rejected', code, message } : { kind: 'transient', message };
  }
}

function retryAfterMs(headers: IncomingHttpHeaders): number {
  const text = headers['retry-after']?.trim() ?? '';
  const reported = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text) - parseHttpDate(headers.date);
  return Number.isFinite(reported) && reported > 0 ? Math.min(reported, longestRetryAfterMs) : defaultRetryAfterMs;
}
