import { createHash } from 'node:crypto';
import { backoffMs } from '../backoff/backoff.ts';
import { describeFault } from '../fault.ts';
import type { Fault } from '../fault.ts';

/** The parts of a Node that are asked for apart, each with a refusal of its own. */
export type NodePart = 'node' | 'own-labels' | 'taint' | 'cordon' | 'registered-labels';

/** What the API server refused to do to a Node. It only spaces out the next tries: without it they come sooner. */
export interface NodeRefusal {
  /** Of what was asked: another wish is not held back. */
  readonly asked: string;
  /** Of the answer: another one is reported anew. */
  readonly answer: string;
  /** In a row. */
  readonly times: number;
  /** Table service's time in ms. */
  readonly retryAt: number;
}

/** Soon at first, because rights are often given a moment later; then often enough for who has just fixed it. */
const retryPolicy = { baseMs: 30_000, maxMs: 600_000 };

/** Faults that the same request meets again until somebody acts: no right, an admission webhook, invalid content. */
export const isRefusal = (fault: Fault): boolean => fault.kind === 'denied' || fault.kind === 'rejected';

/** Names what is asked, any JSON. */
export const askedMark = (what: unknown): string => digest(JSON.stringify(what));

export const isHeldBack = (refusal: NodeRefusal | undefined, asked: string, now: number): boolean =>
  refusal !== undefined && refusal.asked === asked && now < refusal.retryAt;

export interface RefusedNow {
  readonly asked: string;
  readonly fault: Fault;
  /** Table service's time in ms. */
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
}

export function nextRefusal(
  previous: NodeRefusal | undefined,
  { asked, fault, now, random }: RefusedNow,
): { readonly refusal: NodeRefusal; readonly isNew: boolean } {
  const times = previous?.asked === asked ? previous.times + 1 : 1;
  const answer = digest(causeOf(fault));
  const isNew = previous?.asked !== asked || previous.answer !== answer;
  return { refusal: { asked, answer, times, retryAt: now + backoffMs(retryPolicy, times - 1, random) }, isNew };
}

/** The answer without the ids of requests and objects that some webhooks put into it: they are no other cause. */
const causeOf = (fault: Fault): string =>
  describeFault(fault).replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '');

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
