import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

/** A connection whose client asked for another protocol than HTTP. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What was read after the request. */
  readonly head: Buffer;
  /** Whether it speaks another protocol now. */
  isTaken: boolean;
}

const mostMessageBytes = 1024 * 1024;

/** The protocol that is asked for, in small letters; empty: none. */
export const wantedProtocol = ({ headers }: IncomingMessage): string =>
  /\bupgrade\b/i.test(headers.connection ?? '') ? (headers.upgrade ?? '').toLowerCase() : '';

/** Answers 101, and leaves the connection to whoever called. */
export function switchProtocols(
  upgrade: Upgrade,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): void {
  takeSocket(upgrade, response);
  const lines = Object.entries({ connection: 'Upgrade', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  upgrade.socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
}

/** Accepts a WebSocket with a subprotocol (empty: none); undefined when its handshake is none, which was answered then. */
export function acceptWebSocket(
  upgrade: Upgrade,
  response: ServerResponse,
  protocol: string,
): Promise<WebSocket | undefined> {
  const { promise, resolve } = Promise.withResolvers<WebSocket | undefined>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: mostMessageBytes,
  });
  server.once('wsClientError', (error, socket) => {
    socket.end(`HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n${error.message}\n`);
    resolve(undefined);
  });
  // `ws` wants names without a slash, as the standard does; Kubernetes has one with. So it is agreed on beside it.
  delete upgrade.request.headers['sec-websocket-protocol'];
  if (protocol !== '') server.once('headers', (headers) => void headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  takeSocket(upgrade, response);
  server.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
    // Nothing is read before somebody listens.
    socket.pause();
    resolve(socket);
  });
  return promise;
}

function takeSocket(upgrade: Upgrade, response: ServerResponse): void {
  upgrade.isTaken = true;
  if (response.socket !== null) response.detachSocket(response.socket);
}
