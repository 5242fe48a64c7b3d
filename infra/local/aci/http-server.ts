import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ArmRequest, ArmResponse } from './json.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM; without it plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly maxBodyBytes: number;
  readonly answer: (request: ArmRequest) => Promise<ArmResponse>;
}

export interface ListeningServer {
  readonly url: string;
  readonly port: number;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

/** One door: reads a request whole, lets `answer` judge it, writes the answer. Trouble in `answer` is a 500. */
export async function listen(options: ServerOptions): Promise<ListeningServer> {
  const scheme = options.tls === undefined ? 'http' : 'https';
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    serve(options, scheme, request, response).catch(() => response.destroy());
  };
  const server =
    options.tls === undefined ? createHttpServer(onRequest) : createHttpsServer({ ...options.tls }, onRequest);
  server.keepAliveTimeout = 65_000;
  const port = await bind(server, options);
  return {
    url: `${scheme}://${options.host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Listens; answers the port. */
export function bind(server: Server, options: Pick<ServerOptions, 'host' | 'port'>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      const address: AddressInfo | string | null = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the server has no port'));
      else resolve(address.port);
    });
  });
}

async function serve(
  options: ServerOptions,
  scheme: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, options.maxBodyBytes);
  if (body === undefined) {
    response.writeHead(413, { Connection: 'close', 'Content-Type': 'application/json; charset=utf-8' });
    const message = `The request content exceeds the limit of '${options.maxBodyBytes}' bytes.`;
    response.end(JSON.stringify({ error: { code: 'RequestContentTooLarge', message } }));
    return;
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  const answer = await options.answer({
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers,
    body,
    origin: `${scheme}://${headers['host'] ?? options.host}`,
  });
  if (answer.drop === true) {
    request.socket.destroy();
    return;
  }
  const text = answer.rawBody ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body));
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(text === undefined ? {} : { 'Content-Length': Buffer.byteLength(text) }),
  });
  response.end(text);
}

async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += part.length;
    if (size <= limit) chunks.push(part);
    // Far beyond the limit nothing is read any more; a little over it the rest is, so that the answer arrives.
    if (size > limit * 2 + 65_536) return undefined;
  }
  return size > limit ? undefined : Buffer.concat(chunks).toString();
}
