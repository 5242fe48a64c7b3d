import type { Fault } from '../../core/fault.ts';
import { parseStatus } from '../../wire/kubernetes/status.ts';
import type { KubeStatus } from '../../wire/kubernetes/status.ts';
import { parseHttpDate } from './http-date.ts';
import { parseJson } from '../../wire/json-text.ts';

/** An answer of the API server that is not a success, or not JSON. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: string;
  /** The `Retry-After` header: seconds, or an HTTP date. */
  readonly retryAfter?: string | undefined;
  /** The `Date` header, against which a `Retry-After` date is measured. */
  readonly date?: string | undefined;
}

const maxMessageLength = 500;
const defaultRetryAfterMs = 1000;
/** An API server says seconds; no word of a proxy may stop a node's work for longer, nor overflow a timer. */
const longestRetryAfterMs = 600_000;

/**
 * The one place where an HTTP status of the API server becomes a fault. 401, 403 and 429 speak by their code alone (the
 * server itself answers plain text when it is full); any other 4xx must carry a `Status`, because a proxy's HTML page with
 * 404 does not say that a pod is gone: without one it is `transient`.
 */
export function toFault(refusal: ErrorAnswer): Fault {
  const reported = parseStatus(parseJson(refusal.body));
  const status = reported === undefined ? undefined : { ...reported, reason: cut(reported.reason) };
  const message = cut(status?.message ?? '') || `the API server answered ${refusal.status}`;
  switch (refusal.status) {
    case 429:
      return { kind: 'throttled', retryAfterMs: retryAfterMs(refusal, status), message };
    case 401:
    case 403:
      return {
        kind: 'denied',
        code: status?.reason || (refusal.status === 401 ? 'Unauthorized' : 'Forbidden'),
        message,
      };
    default:
      return status === undefined ? transient(message) : fromStatus(refusal.status, status.reason, message);
  }
}

export const transient = (message: string): Fault => ({ kind: 'transient', message: cut(message) });

function fromStatus(httpStatus: number, reason: string, message: string): Fault {
  switch (httpStatus) {
    case 404:
      return { kind: 'not-found', code: reason || 'NotFound', message };
    case 409:
    case 412:
      return { kind: 'conflict', code: reason || 'Conflict', message };
    case 410:
      return { kind: 'conflict', code: 'Expired', message };
    case 408:
      return transient(message);
    default:
      return httpStatus >= 400 && httpStatus < 500
        ? { kind: 'rejected', code: reason || `HTTP${httpStatus}`, message }
        : transient(message);
  }
}

const retryAfterMs = (refusal: ErrorAnswer, status: KubeStatus | undefined): number =>
  Math.min(longestRetryAfterMs, givenRetryAfterMs(refusal, status));

function givenRetryAfterMs(refusal: ErrorAnswer, status: KubeStatus | undefined): number {
  const header = refusal.retryAfter?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(header)) return Math.ceil(Number(header) * 1000);
  const until = parseHttpDate(header);
  const from = parseHttpDate(refusal.date);
  if (!Number.isNaN(until) && !Number.isNaN(from)) return Math.max(0, until - from);
  return status?.retryAfterSeconds === undefined ? defaultRetryAfterMs : status.retryAfterSeconds * 1000;
}

const cut = (text: string): string =>
  text.length > maxMessageLength ? `${text.slice(0, maxMessageLength - 1)}…` : text;
