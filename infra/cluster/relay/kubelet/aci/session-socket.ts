import { WebSocket } from 'ws';
import { leave, openSocket } from '../../../../../shared/adapters/sessions/open-socket.ts';
import type { StreamSession } from '../../../../../shared/core/streams/stream-session.ts';
import { ByteQueue } from '../streams/byte-queue.ts';
import { fillQueues, sendMessage } from '../streams/web-socket.ts';
import { unreachable } from '../../../../../shared/core/streams/unreachable.ts';

/** An open session of ACI's: raw bytes both ways, in messages whose borders mean nothing. */
export interface SessionSocket {
  /** Resolves at the first message, which ACI sends empty, or when the session has ended. */
  readonly heard: Promise<void>;
  /** Resolves when the socket has taken it, or is closed. In the order of the calls. */
  send(bytes: Uint8Array): Promise<void>;
  /** Undefined: the session has ended. One reader at a time; what is not read holds up the far end. */
  read(): Promise<Buffer | undefined>;
  /** Safe to repeat. */
  close(): void;
}

export type Dialled =
  | { readonly ok: true; readonly socket: SessionSocket }
  | { readonly ok: false; readonly message: string };

export interface DialOptions {
  readonly session: StreamSession;
  /** How the password is shown: by the first message to a new process, by a header to whoever only reads. */
  readonly kind: 'exec' | 'attach';
  /** PEM of an authority that is trusted besides the system's; of a test server. */
  readonly caPem: string | undefined;
  readonly connectMs: number;
  readonly signal: AbortSignal;
}

const unreadBytes = 262_144;
const mostMessageBytes = 4 * 1024 * 1024;
/** A session may say nothing for hours; what is in between forgets a connection after minutes. */
const keepAliveMs = 30_000;

/** Connects to a session, once. Never rejects; the password is in no message. */
export async function dialSession(options: DialOptions): Promise<Dialled> {
  const { session, kind, signal } = options;
  const socket = openSocket(WebSocket, { ...options, mostBytes: mostMessageBytes });
  if (socket === undefined) return { ok: false, message: 'Azure gave a session that can not be connected to' };
  const dialled = Promise.withResolvers<Dialled>();
  const abort = (): void => socket.terminate();
  const fail = (error: Error): void =>
    dialled.resolve({ ok: false, message: unreachable(session.webSocketUri, error, 'relay') });
  const bytes = new ByteQueue(unreadBytes);
  const heard = Promise.withResolvers<void>();
  fillQueues(socket, [bytes], (message) => {
    heard.resolve();
    bytes.push(message);
  });
  signal.addEventListener('abort', abort, { once: true });
  socket.once('error', fail);
  socket.once('upgrade', ({ socket: connection }) => void connection.setKeepAlive(true, keepAliveMs));
  socket.once('close', () => {
    fail(new Error('closed'));
    heard.resolve();
  });
  socket.once('open', () => {
    // From here on it is whoever speaks that ends it.
    signal.removeEventListener('abort', abort);
    if (kind === 'exec') socket.send(session.password);
    dialled.resolve({ ok: true, socket: sessionSocket(socket, bytes, heard.promise) });
  });
  if (signal.aborted) abort();
  const result = await dialled.promise;
  signal.removeEventListener('abort', abort);
  return result;
}

const sessionSocket = (socket: WebSocket, bytes: ByteQueue, heard: Promise<void>): SessionSocket => ({
  heard,
  send: (data) => sendMessage(socket, data),
  read: () => bytes.read(),
  close: () => {
    bytes.drop();
    leave(socket);
  },
});
