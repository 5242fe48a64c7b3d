import * as z from 'zod';
import type { AppAnswer } from '../app/app-client.ts';
import { waitingToStart } from './container-instance.ts';

/** The app's answer to a question for a log. */
export type AppLog =
  | { readonly kind: 'content'; readonly content: string }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly message: string;
      /** Whether the same question may be answered soon. */
      readonly isPassing: boolean;
      readonly retryAfterMs: number | undefined;
    };

const problem = z.object({ error: z.object({ code: z.string().catch(''), message: z.string().catch('') }) });

/**
 * What the API server is answered: 4xx texts reach the user of kubectl as they are. `state`: what the pod's status says of a
 * container that has started.
 */
export function readAppLog(answer: AppAnswer, pod: string, container: string, state?: 'running' | 'ended'): AppLog {
  if (answer.kind === 'unreachable') return passing(503, `the function app could not be reached: ${answer.message}`);
  if (answer.status === 200) return { kind: 'content', content: answer.body };
  const { code, message } = problemOf(answer.body);
  switch (answer.status) {
    case 404:
      return notFound(code, message, { pod, container, state });
    case 409:
      return passing(503, `the container group is being changed; try again: ${message}`, answer.retryAfterMs);
    case 429:
      return passing(503, 'Azure limits how often logs may be read; try again in a moment', answer.retryAfterMs);
    case 401:
    case 403:
      return passing(502, "the function app did not accept the relay's credential");
    default:
      return passing(
        answer.status >= 500 ? 503 : 502,
        `the function app answered ${answer.status}: ${code} ${message}`.trim(),
        answer.retryAfterMs,
      );
  }
}

interface Target {
  readonly pod: string;
  readonly container: string;
  readonly state: 'running' | 'ended' | undefined;
}

function notFound(code: string, message: string, target: Target): AppLog {
  switch (code) {
    case 'NodeNotFound':
      return { kind: 'refused', status: 404, message, isPassing: false, retryAfterMs: undefined };
    case '':
      return passing(503, 'the function app has no such function; is it being deployed?');
    default:
      // ContainerLogNotAvailable, or no group yet (or no longer): the log is not there, and may come.
      return passing(400, noLog(target, message));
  }
}

function noLog({ pod, container, state }: Target, message: string): string {
  const subject = `container "${container}" in pod "${pod}"`;
  switch (state) {
    case 'running':
      return `the log of ${subject} can't be read now: ${message}`;
    case 'ended':
      return `${subject} has ended, and nothing is left of its log: its container group is stopped or gone, and the log could not be kept`;
    case undefined: {
      const waiting = waitingToStart(pod, container);
      return waiting.kind === 'refused' ? waiting.message : message;
    }
  }
}

const passing = (status: number, message: string, retryAfterMs?: number): AppLog => ({
  kind: 'refused',
  status,
  message,
  isPassing: true,
  retryAfterMs,
});

/** The error in a body of the app's; empty where there is none. */
export function problemOf(body: string): { readonly code: string; readonly message: string } {
  try {
    return problem.parse(JSON.parse(body)).error;
  } catch {
    return { code: '', message: '' };
  }
}
