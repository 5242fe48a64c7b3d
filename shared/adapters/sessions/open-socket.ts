import { rootCertificates } from 'node:tls';
import type { WebSocket } from 'ws';
import type { StreamSession } from '../../core/streams/stream-session.ts';

export interface SocketWish {
  readonly session: StreamSession;
  /** How the password is shown: by the first message to a new process, which is for the caller to send, or by a header. */
  readonly kind: 'exec' | 'attach';
  /** PEM of an authority that is trusted besides the system's. */
  readonly caPem: string | undefined;
  readonly mostBytes: number;
}

/**
 * Begins to connect to a session of ACI's. `ws` is loaded with the first one: Node's own client takes no authority for its TLS.
 * Undefined: what Azure gave is no address.
 */
export async function socketOpener(wish: SocketWish): Promise<() => WebSocket | undefined> {
  const { WebSocket: Client } = await import('ws');
  const { session, kind, caPem, mostBytes } = wish;
  return () => {
    try {
      return new Client(session.webSocketUri, {
        maxPayload: mostBytes,
        perMessageDeflate: false,
        // The bytes of a terminal, cut anywhere, may come as text.
        skipUTF8Validation: true,
        ...(kind === 'attach' ? { headers: { authorization: session.password } } : {}),
        ...(caPem === undefined ? {} : { ca: [...rootCertificates, caPem] }),
      });
    } catch {
      return undefined;
    }
  };
}

const closeMs = 1_000;

/** Says good-bye, and waits a second for the answer. */
export function leave(socket: WebSocket): void {
  socket.close(1000);
  setTimeout(() => socket.terminate(), closeMs).unref();
}
