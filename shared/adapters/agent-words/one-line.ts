import type { RawData, WebSocket } from 'ws';
import { fail } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { StreamSession } from '../../core/streams/stream-session.ts';
import { unreachable } from '../../core/streams/unreachable.ts';
import { leave, openSocket } from '../sessions/open-socket.ts';
import { Hearing, mostBytes, silent } from './hearing.ts';

export interface OneLine<T> {
  readonly session: StreamSession;
  /** What is typed, without its end. */
  readonly typed: string | undefined;
  /** A line of the terminal, as the answer; undefined: it is none. The echo of what was typed is asked too. */
  readonly parse: (line: string) => T | undefined;
  /** PEM of an authority that is trusted besides the system's. */
  readonly caPem: string | undefined;
  readonly signal: AbortSignal;
}

const tooLate = fail({ kind: 'transient', message: 'the agent did not answer in time' });
const noSession = fail({ kind: 'transient', message: 'Azure gave a session that can not be connected to' });

/** Connects to a session, types a line and hears until one is the answer. Never rejects; the password is in no message. */
export async function sayOneLine<T>(line: OneLine<T>): Promise<Result<T>> {
  const { session, signal, caPem } = line;
  const { WebSocket: Client } = await import('ws');
  if (signal.aborted) return tooLate;
  const socket = openSocket(Client, { session, kind: 'exec', caPem, mostBytes });
  if (socket === undefined) return noSession;
  const answered = Promise.withResolvers<Result<T>>();
  const abort = (): void => {
    answered.resolve(tooLate);
    socket.terminate();
  };
  signal.addEventListener('abort', abort, { once: true });
  // Only the first one counts.
  socket.on('error', (error) => answered.resolve(broken(session, error)));
  socket.once('open', () => socket.send(session.password));
  converse(socket, line, answered.resolve);
  const result = await answered.promise;
  signal.removeEventListener('abort', abort);
  leave(socket);
  return result;
}

function converse<T>(socket: WebSocket, { typed, parse }: OneLine<T>, say: (result: Result<T>) => void): void {
  const heard = new Hearing(parse, typed);
  let isTyped = typed === undefined;
  socket.on('message', (data) => {
    // The first message is Azure's own, and empty: from there on there is somebody to type to.
    if (!isTyped) socket.send(Buffer.from(`${typed}\r`));
    isTyped = true;
    const said = heard.take(bytesOf(data));
    if (said !== undefined) say(said);
  });
  socket.once('close', () => say(heard.end()));
}

/** Also of a session that breaks later: whatever was said before it is not heard any more. */
function broken(session: StreamSession, error: Error): Result<never> {
  if ('code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return silent('more than an agent says');
  return fail({ kind: 'transient', message: unreachable(session.webSocketUri, error, 'app') });
}

const bytesOf = (data: RawData): Buffer => {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
};
