import type { Fault } from '../../core/fault.ts';

export interface BlobAnswer {
  readonly status: number;
  readonly body: string;
  header(name: string): string | undefined;
}

/** What the blob is, for the messages of its faults. */
export interface BlobSubject {
  readonly name: string;
  /** What the identity needs. */
  readonly role: string;
}

const defaultRetryAfterMs = 1_000;
const longestRetryAfterMs = 60_000;

/**
 * The fault of an answer that is no success (Blob service error codes). The body is not shown: at a refusal it repeats
 * what was signed, and a proxy's is a page of HTML.
 */
export function blobFault(answer: BlobAnswer, { name, role }: BlobSubject): Fault {
  const { status } = answer;
  const code = errorCode(answer);
  switch (status) {
    case 401:
    case 403:
      return {
        kind: 'denied',
        code,
        message: `Blob storage refused ${name}: the identity needs the role ${role}, or the SAS is wrong or over`,
      };
    case 404:
      return code === 'ContainerNotFound'
        ? { kind: 'not-found', code, message: `the container of ${name} does not exist` }
        : { kind: 'not-found', code, message: `there is no Blob storage at the URL of ${name}` };
    case 409:
    case 412:
      return { kind: 'conflict', code, message: `somebody else has changed ${name}` };
    case 429:
    case 503:
      return { kind: 'throttled', retryAfterMs: retryAfterMs(answer), message: `Blob storage is busy (${status})` };
    default:
      return definite(status) && code !== String(status)
        ? { kind: 'rejected', code, message: `Blob storage refused the request (${status})` }
        : { kind: 'transient', message: `Blob storage answered ${status}` };
  }
}

const definite = (status: number): boolean => status >= 400 && status < 500 && status !== 408;

function errorCode(answer: BlobAnswer): string {
  const reported = answer.header('x-ms-error-code') ?? '';
  return /^[A-Za-z]{1,60}$/.test(reported) ? reported : String(answer.status);
}

function retryAfterMs(answer: BlobAnswer): number {
  const seconds = Number(answer.header('retry-after') ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, longestRetryAfterMs) : defaultRetryAfterMs;
}

/**
 * Time-outs, lost connections, and a credential that gives no token. Only a code is reported, never the text: it may name
 * the URL with its SAS.
 */
export function thrownFault(error: unknown, { aborted }: { readonly aborted: boolean }): Fault {
  if (aborted) return { kind: 'transient', message: 'Blob storage did not answer in time' };
  if (!(error instanceof Error)) return { kind: 'transient', message: 'Blob storage could not be asked' };
  if (/CredentialUnavailable|AuthenticationError|AuthenticationRequired/.test(error.name))
    return { kind: 'denied', code: error.name, message: 'no token for Blob storage could be got' };
  const code = 'code' in error && typeof error.code === 'string' && /^\w{1,40}$/.test(error.code) ? error.code : '';
  return {
    kind: 'transient',
    message: code === '' ? 'Blob storage could not be reached' : `Blob storage could not be reached (${code})`,
  };
}
