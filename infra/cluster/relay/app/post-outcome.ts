import * as z from 'zod';
import type { AppAnswer } from './app-client.ts';

/** What a post came to. */
export type PostOutcome =
  /** The app asks for the next tick in so many ms. */
  | {
      readonly kind: 'taken';
      readonly nextLookInMs: number;
      readonly unknownNodes: readonly string[];
      /** Being taken out of the cluster for good: their Leases may end. */
      readonly removedNodes: readonly string[];
    }
  /** A definite 4xx: the same body would be refused for ever. */
  | { readonly kind: 'refused'; readonly status: number }
  /** To be posted again, not before `retryAfterMs` where one is given. */
  | {
      readonly kind: 'again';
      readonly cause: string;
      readonly retryAfterMs: number | undefined;
      /** The app is there, and does not know us. */
      readonly isUnknown: boolean;
    };

const soonestMs = 1000;
const latestMs = 30_000;
/** 401 and 403 may pass with another token, or when the app's settings are put right. */
const passing = new Set([401, 403, 408, 429]);

const taken = z.object({
  now: z.iso.datetime(),
  nextLookAt: z.iso.datetime(),
  unknownNodes: z.array(z.string()).default([]),
  removedNodes: z.array(z.string()).default([]),
});

/** Reads the app's answer. Both times in it are the app's own, so that no clock of ours is compared with them. */
export function postOutcome(answer: AppAnswer): PostOutcome {
  if (answer.kind === 'unreachable') return again(answer.message);
  const { status, retryAfterMs } = answer;
  if (status >= 200 && status < 300) return readTaken(answer.body);
  if (status >= 400 && status < 500 && !passing.has(status)) return { kind: 'refused', status };
  return { ...again(`HTTP ${status}`), retryAfterMs, isUnknown: status === 401 };
}

const again = (cause: string): Extract<PostOutcome, { kind: 'again' }> => ({
  kind: 'again',
  cause,
  retryAfterMs: undefined,
  isUnknown: false,
});

/** A 2xx without the app's JSON is a proxy's page: nobody took anything. */
function readTaken(body: string): PostOutcome {
  const parsed = taken.safeParse(jsonOf(body));
  if (!parsed.success) return again("an answer that is not the app's");
  const { now, nextLookAt, unknownNodes, removedNodes } = parsed.data;
  const inMs = Date.parse(nextLookAt) - Date.parse(now);
  return { kind: 'taken', nextLookInMs: Math.min(latestMs, Math.max(soonestMs, inMs)), unknownNodes, removedNodes };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
