import * as z from 'zod';
import type { Fault } from '../../core/fault.ts';
import { conflictCodes } from './row-table.ts';

const restError = z.object({
  statusCode: z.number().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  details: z.unknown(),
  response: z
    .object({ bodyAsText: z.string().nullish(), headers: z.custom<{ get(name: string): string | undefined }>() })
    .partial()
    .optional(),
});

const maxMessageLength = 300;
const defaultRetryAfterMs = 1000;
const errorCode = /"code"\s*:\s*"([A-Za-z]+)"/;

/** What the SDK throws, as a fault (Table service error codes). Time-outs and lost connections are `transient`. */
export function tableFault(error: unknown): Fault {
  const parsed = restError.safeParse(error);
  if (!parsed.success) return { kind: 'transient', message: cut(String(error)) };
  const { statusCode, response } = parsed.data;
  const body = response?.bodyAsText ?? '';
  const code = serviceCode(parsed.data.code) ?? errorCode.exec(body)?.[1] ?? '';
  const message = cut(parsed.data.message ?? 'The Table service gave no answer.');
  if (statusCode === undefined || code === 'TableBeingDeleted') return { kind: 'transient', message };
  return statusFault(statusCode, code, { message, retryAfter: response?.headers?.get('retry-after') });
}

/** The SDK's own codes (`REQUEST_SEND_ERROR`) are not the service's. */
const serviceCode = (code: string | undefined): string | undefined =>
  code !== undefined && /^[A-Z][A-Za-z]*[a-z]$/.test(code) ? code : undefined;

function statusFault(
  status: number,
  code: string,
  details: { readonly message: string; readonly retryAfter: string | undefined },
): Fault {
  const { message } = details;
  switch (status) {
    case 404:
      return { kind: 'conflict', code: code === '' ? conflictCodes.missing : code, message };
    case 409:
      return { kind: 'conflict', code: code === '' ? conflictCodes.exists : code, message };
    case 412:
      return { kind: 'conflict', code: conflictCodes.changed, message };
    case 429:
    case 503:
      return { kind: 'throttled', retryAfterMs: retryAfterMs(details.retryAfter), message };
    case 401:
    case 403:
      return { kind: 'denied', code, message };
    default:
      return { kind: 'transient', message };
  }
}

function retryAfterMs(header: string | undefined): number {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : defaultRetryAfterMs;
}

/** First line only: the service adds a request id and a time, and a proxy may add a page of HTML. */
const cut = (message: string): string => (message.split('\n')[0] ?? '').trim().slice(0, maxMessageLength);
