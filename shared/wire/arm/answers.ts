import * as z from 'zod';
import type { StreamSession } from '../../core/streams/stream-session.ts';
import { isStreamUri } from '../relay-protocol/stream-session.ts';

// The smaller answers of ARM (docs/aci.md, Requests). Undefined: not what ARM promises.

const resource = z.looseObject({ id: z.string() });

/** Whether a body is that of an ARM resource, of whatever kind. */
export const isResource = (body: unknown): boolean => resource.safeParse(body).success;

const errorDetail = z.object({ code: z.string().nullish(), message: z.string().nullish() });
const error = z.object({ error: errorDetail.extend({ details: z.array(z.unknown()).nullish() }) });

/** Codes are joined and nested in several ways, so all that were found are given. */
export interface ArmError {
  readonly codes: readonly string[];
  readonly message: string;
}

export function parseError(body: unknown): ArmError | undefined {
  const parsed = error.safeParse(body);
  if (!parsed.success) return undefined;
  const details = (parsed.data.error.details ?? []).flatMap((detail) => errorDetail.safeParse(detail).data ?? []);
  const found = [parsed.data.error, ...details];
  return {
    codes: found.flatMap(({ code }) => (code === null || code === undefined || code === '' ? [] : [code])),
    message: found.find(({ message }) => message !== null && message !== undefined && message !== '')?.message ?? '',
  };
}

const logs = z.object({ content: z.string().nullable() });
export function parseLogs(body: unknown): string | undefined {
  const parsed = logs.safeParse(body);
  return parsed.success ? (parsed.data.content ?? '') : undefined;
}

const streamSession = z.object({ webSocketUri: z.string().refine(isStreamUri), password: z.string() });

/** Of an exec or attach. A URI that is not over TLS is as good as none: its password would be read on the way. */
export const parseStreamSession = (body: unknown): StreamSession | undefined => streamSession.safeParse(body).data;

const operation = z.object({
  status: z.string(),
  properties: z
    .object({
      events: z
        .array(z.object({ name: z.string(), message: z.string().nullish(), lastTimestamp: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
  error: errorDetail.nullish(),
});

export interface OperationAnswer {
  readonly status: string;
  readonly events: readonly { readonly name: string; readonly message: string }[];
}

/** Newest last. A failure without events may have an `error` instead. */
export function parseOperation(body: unknown): OperationAnswer | undefined {
  const parsed = operation.safeParse(body);
  if (!parsed.success) return undefined;
  const { status, properties, error: reason } = parsed.data;
  const events = (properties?.events ?? [])
    .toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
    .map(({ name, message }) => ({ name, message: message ?? '' }));
  const code = reason?.code ?? '';
  return { status, events: code === '' ? events : [...events, { name: code, message: reason?.message ?? '' }] };
}

const usages = z.object({
  value: z.array(z.object({ name: z.object({ value: z.string() }), currentValue: z.number(), limit: z.number() })),
});

export interface UsageAnswer {
  readonly name: string;
  readonly current: number;
  readonly limit: number;
}

export const parseUsages = (body: unknown): readonly UsageAnswer[] | undefined =>
  usages.safeParse(body).data?.value.map(({ name, currentValue, limit }) => ({
    name: name.value,
    current: currentValue,
    limit,
  }));
