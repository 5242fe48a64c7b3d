import { fail } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { burstPatience, createLanes } from '../tables/lanes.ts';
import { transient } from './fault.ts';

/** One caller's question. */
export interface Question<T> {
  readonly signal: AbortSignal;
  readonly answer: (result: Result<T>) => void;
}

/**
 * Joins what several callers ask at the same time: what comes while two requests are under way, or within a few
 * milliseconds amid others, is asked together, and always after each has asked. `ask` answers each of them and does not
 * fail. A caller whose signal aborts has a `transient` fault at once; the others are not disturbed.
 */
export function createTogether<Q extends object, T>(
  ask: (questions: readonly (Q & Question<T>)[]) => Promise<void>,
): (question: Q, signal: AbortSignal) => Promise<Result<T>> {
  const enter = createLanes<Q & Question<T>>(
    (waiting) => waiting.splice(0),
    (_, together) => ask(together),
    burstPatience(() => performance.now()),
  );
  return (question, signal) =>
    new Promise((resolve) => {
      const onAbort = (): void => resolve(fail(transient('the time for the answer is over')));
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      const answer = (result: Result<T>): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      enter('', { ...question, signal, answer });
    });
}

/** For a request of many, which none of them may end: the client's own time-out bounds it. */
export const ofAll = (): AbortSignal => new AbortController().signal;
