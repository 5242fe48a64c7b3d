import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import type { KeyScope } from '../../core/agent/key.ts';
import type { AgentReport, AgentState } from '../../core/agent/reports/report.ts';
import { parseJson } from '../json-text.ts';

/** A report, with whose it says to be. */
export interface SignedReport extends AgentReport, KeyScope {
  readonly kid: string;
}

/** The most bytes a report has: 50 events and two termination messages, as JSON has them at worst. */
export const mostReportBytes = 384 * 1024;

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
/** A kubelet's are CamelCase; the API server takes no event of a longer one. */
const reason = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,127}$/);
const message = z.string().max(4096);
const word = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const count = z.int().min(0).max(1_000_000_000);

/** Go's zero time, and what no `Date` can be, are no times. */
const time = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .refine((ms) => ms > 0 && ms <= 9_999_999_999_999);

const end = z
  .object({
    exitCode: z.int().min(0).max(255),
    signal: z.int().min(1).max(64).exactOptional(),
    reason,
    message: message.exactOptional(),
    startedAt: time.exactOptional(),
    finishedAt: time,
  })
  .transform(defined);

const state = z.object({
  phase: z.enum(['waiting', 'running', 'ended', 'parked'] satisfies readonly AgentState['phase'][]),
  waiting: z.object({ reason, message: message.exactOptional() }).exactOptional(),
  startedAt: time.exactOptional(),
  started: z.boolean(),
  ready: z.boolean(),
  restarts: count,
  ended: end.exactOptional(),
  lastEnded: end.exactOptional(),
  final: z.boolean(),
  drainBy: time.exactOptional(),
  volumes: z.record(z.string().max(253), z.string().max(128)).exactOptional(),
});

const isWhole = ({ phase, startedAt, ended, waiting }: z.output<typeof state>): boolean => {
  switch (phase) {
    case 'waiting':
      return waiting !== undefined;
    case 'running':
      return startedAt !== undefined;
    case 'ended':
    case 'parked':
      return ended !== undefined;
  }
};

const event = z.object({
  n: z.int().min(1).max(1_000_000_000),
  type: z.enum(['Normal', 'Warning']),
  reason,
  message,
  count: z.int().min(1).max(1_000_000_000),
  lastAt: time,
});

const report: z.ZodType<SignedReport> = z.object({
  schemaVersion: z.literal(1),
  podUid: z.string().min(1).max(128),
  nonce: word,
  kid: word,
  container: z.union([z.literal(''), name]),
  bootId: word,
  number: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  sentAt: time,
  state: state.refine(isWhole, 'its phase needs what belongs to it'),
  events: z.array(event).max(50).default([]),
});

/**
 * A report as an agent sends it. `not-json` or `not-a-report`: whoever sent it is no agent of ours, or one of a version that
 * this app can't read; `field` is the first place that is wrong.
 */
export type ParsedReport =
  | { readonly kind: 'report'; readonly report: SignedReport }
  | { readonly kind: 'not-json' }
  | { readonly kind: 'not-a-report'; readonly field: string };

export function parseReport(body: string): ParsedReport {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'not-json' };
  const parsed = report.safeParse(json);
  if (parsed.success) return { kind: 'report', report: parsed.data };
  return { kind: 'not-a-report', field: parsed.error.issues[0]?.path.join('.') ?? '' };
}
