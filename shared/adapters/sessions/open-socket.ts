import { rootCertificates } from 'node:tls';
import type { WebSocket } from 'ws';
import { defined } from '../../core/defined.ts';
import type { StreamSession } from '../../core/streams/stream-session.ts';

export interface SocketWish {
  readonly session: StreamSession;
  /** How the password is shown: by the first message to a new process, which is for the caller to send, or by a header. */
  readonly kind: 'exec' | 'attach';
  /** PEM of an authority that is trusted besides the system's; of a test server. */
  readonly caPem: string | undefined;
  readonly mostBytes: number;
  /** For the connection; undefined: the caller sees to it. */
  readonly connectMs?: number;
}

/**
 * Begins to connect to a session of ACI's; undefined: what Azure gave is no address. `Client` is of `ws`, which the app loads
 * with its first session: Node's own client takes no authority for its TLS.
 */
export function openSocket(Client: typeof WebSocket, wish: SocketWish): WebSocket | undefined {
  const { session, kind, caPem, mostBytes, connectMs } = wish;
  try {
    return new Client(session.webSocketUri, {
      ...defined({ handshakeTimeout: connectMs }),
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
}

const closeMs = 1_000;

/** Says good-bye, and waits a second for the answer. */
export function leave(socket: WebSocket): void {
  socket.close(1000);
  setTimeout(() => socket.terminate(), closeMs).unref();
}
