import * as z from 'zod';
import type { StatusAnswer, WordAnswer } from '../../core/agent/words.ts';
import { defined } from '../../core/defined.ts';
import { parseJson } from '../json-text.ts';

/** An agent's words are shown to people; what is longer was not meant for them. */
const message = z.string().transform((text) => text.slice(0, 1024));
const refusal = z.object({ ok: z.literal(false), message: message.default('') });
const done = z.object({ ok: z.literal(true), message: message.optional() });
const status = z.object({
  ok: z.literal(true),
  status: z.object({
    bootId: z.string().max(256),
    state: z.object({ phase: z.enum(['waiting', 'running', 'ended', 'parked']) }),
    lastFault: message.optional(),
  }),
});

/** One line of a terminal as the answer of `/.sk/d` and `/.sk/r`; undefined: it is something else. */
export function parseWordAnswer(line: string): WordAnswer | undefined {
  const answer = z.union([refusal, done]).safeParse(parseJson(line)).data;
  return answer?.ok === true ? { ok: true, ...defined({ message: answer.message }) } : answer;
}

/** The same of `/.sk/s`. */
export function parseStatusAnswer(line: string): StatusAnswer | undefined {
  const answer = z.union([refusal, status]).safeParse(parseJson(line)).data;
  if (answer?.ok !== true) return answer;
  const { bootId, state, lastFault } = answer.status;
  return { ok: true, status: { bootId, phase: state.phase, ...defined({ lastFault }) } };
}

/** The line that `/.sk/d` takes. Short: long messages to a session were seen to get lost (docs/aci.md). */
export const formatDrain = ({ graceSeconds }: { readonly graceSeconds: number }): string =>
  JSON.stringify({ graceSeconds: Math.max(0, Math.floor(graceSeconds)) });
