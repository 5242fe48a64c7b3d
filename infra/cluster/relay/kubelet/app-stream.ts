import type { StreamAnswer } from '../../../../shared/wire/relay-protocol/stream-session.ts';
import { parseStreamAnswer } from '../../../../shared/wire/relay-protocol/stream-session.ts';
import type { AppAnswer } from '../app/app-client.ts';
import { problemOf } from './app-log.ts';

/** The app's answer to a question for a session. */
export type AppStream =
  | { readonly kind: 'session'; readonly session: StreamAnswer }
  | {
      readonly kind: 'refused';
      readonly message: string;
      /** The app gives no such session: there is nothing that it could be with, or the app is of an older release. */
      readonly isUnknown: boolean;
      /** After so long the same question may be answered; undefined: not soon. */
      readonly againMs: number | undefined;
    };

const againMs = 500;

/** What the client reads, as the reason of an internal error. */
export function readAppStream(answer: AppAnswer): AppStream {
  if (answer.kind === 'unreachable') return again(`the function app could not be reached: ${answer.message}`);
  const { status, body, retryAfterMs } = answer;
  if (status === 200) {
    const session = parseStreamAnswer(body);
    return session === undefined
      ? refused("the function app gave a session that this relay can't use; is it of another release?")
      : { kind: 'session', session };
  }
  const { code, message } = problemOf(body);
  switch (status) {
    case 404:
      return unknown(code === '' ? 'the function app has no such function; is it of an older release?' : message);
    case 409:
      return again(`the container group is being changed: ${message}`, retryAfterMs);
    case 429:
      return again('Azure limits how often sessions may be opened; try again in a moment', retryAfterMs);
    case 401:
    case 403:
      return refused("the function app did not accept the relay's credential");
    default: {
      const said = `the function app answered ${status}: ${code} ${message}`.trim();
      return status === 503 ? again(said, retryAfterMs) : refused(said);
    }
  }
}

const refused = (message: string): AppStream => ({ kind: 'refused', message, isUnknown: false, againMs: undefined });

const unknown = (message: string): AppStream => ({ kind: 'refused', message, isUnknown: true, againMs: undefined });

const again = (message: string, retryAfterMs?: number): AppStream => ({
  kind: 'refused',
  message,
  isUnknown: false,
  againMs: Math.max(againMs, retryAfterMs ?? 0),
});
