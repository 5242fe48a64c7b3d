import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { bind } from '../http-server.ts';
import type { ExecEndpoint } from './endpoint.ts';
import { ExecStream } from './exec-stream.ts';
import { streamLog } from './log-stream.ts';
import type { SessionOrder } from './sessions.ts';

export interface ExecDoorOptions {
  readonly host: string;
  /** 0: any free one; Azure's is 19390. */
  readonly port: number;
  /** PEM; without it plain WebSockets. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly endpoint: ExecEndpoint;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** The port of exec and attach. */
export interface ExecDoor {
  /** `wss://127.0.0.1:port`. */
  readonly url: string;
  /** While it is not, connections are refused; those that are open stay, and the port is the same afterwards. */
  setReachable(isReachable: boolean): Promise<void>;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

const pathPattern = /^\/(execstream|logstream)\/sessionId\/([0-9a-f-]{36})$/iu;

/** Opens the port: WebSockets at `/execstream/sessionId/{id}` and `/logstream/sessionId/{id}`, and nothing else. */
export async function openExecDoor(options: ExecDoorOptions): Promise<ExecDoor> {
  const { host, tls } = options;
  const server = tls === undefined ? createHttpServer() : createHttpsServer({ ...tls });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('request', (_, response) => response.writeHead(426, { Upgrade: 'websocket' }).end());
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => undefined);
    const admitted = admit(options, request);
    if (typeof admitted === 'number') return refuse(connection, admitted);
    sockets.handleUpgrade(request, connection, head, (socket) => {
      socket.on('error', () => undefined);
      admitted(socket);
    });
  });
  const port = await bind(server, options);
  const stop = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return {
    url: `${tls === undefined ? 'ws' : 'wss'}://${host}:${port}`,
    setReachable: async (isReachable) => {
      if (isReachable === server.listening) return;
      if (isReachable) await bind(server, { host, port });
      // Resolves once the sessions have ended, so that it is not waited for.
      else void stop();
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      const stopped = stop();
      server.closeAllConnections();
      await stopped;
    },
  };
}

/** What is done with the WebSocket, or the status that is answered in its place. */
function admit(options: ExecDoorOptions, request: IncomingMessage): ((socket: WebSocket) => void) | number {
  const { sessions } = options.endpoint;
  const [, folder, id] = pathPattern.exec(request.url?.split('?')[0] ?? '') ?? [];
  if (folder === undefined || id === undefined) return 404;
  const kind: SessionOrder['kind'] = folder.toLowerCase() === 'execstream' ? 'exec' : 'attach';
  if (!sessions.isWaiting(id, kind)) return 404;
  if (kind === 'exec') return (socket) => new ExecStream({ ...options, socket, id }).begin();
  const order = sessions.enter(id, request.headers.authorization ?? '');
  return order === undefined ? 401 : (socket) => void streamLog({ ...options, socket, order });
}

const reasons: Readonly<Record<number, string>> = { 401: 'Unauthorized', 404: 'Not Found' };

function refuse(connection: Duplex, status: number): void {
  connection.end(`HTTP/1.1 ${status} ${reasons[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
