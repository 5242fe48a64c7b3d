import { parsePodEventsAnswer } from '../../../../shared/wire/relay-protocol/pod-events-answer.ts';
import type { PodEventsAnswer } from '../../../../shared/wire/relay-protocol/pod-events-answer.ts';
import type { AppAnswer } from './app-client.ts';

/** What a post came to. */
export type PostOutcome =
  | ({ readonly kind: 'taken' } & PodEventsAnswer)
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

/** 401 and 403 may pass with another token, or when the app's settings are put right. */
const passing = new Set([401, 403, 408, 429]);

/** Reads the app's answer. */
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
  const answer = parsePodEventsAnswer(body);
  return answer === undefined ? again("an answer that is not the app's") : { kind: 'taken', ...answer };
}
