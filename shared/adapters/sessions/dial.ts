import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { unreachable } from '../../core/streams/unreachable.ts';
import type { SessionDial } from '../../ports/session-dial.ts';
import { leave, openSocket } from './open-socket.ts';

const mostBytes = 4 * 1024 * 1024;

/** Dials over a WebSocket. Never rejects; the password is in no message. */
export const createSessionDial =
  ({ certificateAuthorityPem: caPem }: { readonly certificateAuthorityPem?: string }): SessionDial =>
  async (session, signal) => {
    const { WebSocket: Client } = await import('ws');
    const failed = (error: Error): Result<void> =>
      fail({ kind: 'transient', message: unreachable(session.webSocketUri, error, 'app') });
    if (signal.aborted) return failed(new Error('timed out'));
    const socket = openSocket(Client, { session, kind: 'attach', caPem, mostBytes });
    if (socket === undefined)
      return fail({ kind: 'transient', message: 'Azure gave a session that can not be connected to' });
    const { promise, resolve } = Promise.withResolvers<Result<void>>();
    const abort = (): void => {
      resolve(failed(new Error('timed out')));
      socket.terminate();
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', (error) => resolve(failed(error))).once('open', () => resolve(ok(undefined)));
    socket.once('close', () => resolve(failed(new Error('closed'))));
    const result = await promise;
    signal.removeEventListener('abort', abort);
    leave(socket);
    return result;
  };
