import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { RelayMeter } from '../metrics/relay-metrics.ts';
import { nodeAttributes } from './attributes.ts';
import { authenticate } from './authentication.ts';
import { answerText } from './call.ts';
import type { KubeletContext } from './call.ts';
import { pathSegments, queryOf } from './request-path.ts';
import type { Reviews } from './reviews.ts';
import { findRoute, routeName } from './routes.ts';
import { areSame, readServingKeys } from './serving-files.ts';
import type { ServingFiles, ServingKeys } from './serving-files.ts';

export interface KubeletPortOptions {
  readonly context: KubeletContext;
  readonly reviews: Reviews;
  readonly files: ServingFiles;
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly meter?: Pick<RelayMeter, 'kubeletAnswered'>;
  /** How often the files are read again; 10 s unless given. */
  readonly reloadEveryMs?: number;
}

const defaultReloadMs = 10_000;
/** As a kubelet: idle connections end after 90 s, streams after 4 h. */
const idleMs = 90_000;
const longestMs = 4 * 3_600_000;
/** In the metrics, for who left before there was an answer. */
const clientGone = 499;

/** The kubelet's HTTPS API of one node, as the API server calls it. */
export class KubeletPort {
  readonly port: number;
  readonly #server: Server;
  readonly #stop: AbortController;
  readonly #reload: NodeJS.Timeout;

  private constructor(server: Server, stop: AbortController, reload: NodeJS.Timeout) {
    this.#server = server;
    this.#stop = stop;
    this.#reload = reload;
    this.port = portOf(server.address());
  }

  /** Listens. Rejects when the certificate can't be used, or the port is taken. */
  static async open(options: KubeletPortOptions): Promise<KubeletPort> {
    const keys = await readServingKeys(options.files);
    const stop = new AbortController();
    const server = createServer(
      { ...tlsOptions(keys), requestCert: true, rejectUnauthorized: false, keepAliveTimeout: idleMs },
      (request, response) => void serve(options, { request, response, stop: stop.signal }),
    );
    server.on('tlsClientError', () => undefined);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(options.port, options.address, resolve);
    await promise;
    return new KubeletPort(server, stop, watchKeys(server, options, keys));
  }

  /** Ends all connections, streams included. */
  async close(): Promise<void> {
    clearInterval(this.#reload);
    this.#stop.abort();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }
}

const tlsOptions = ({ cert, key, ca }: ServingKeys) => ({
  cert,
  key,
  ca,
  minVersion: 'TLSv1.2' as const,
  // Each connection shows its certificate anew.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

/** Takes up keys that were renewed. Ones that don't fit are left alone: the other half may be still to come. */
function watchKeys(
  server: Server,
  { files, context: { log }, reloadEveryMs = defaultReloadMs }: KubeletPortOptions,
  keys: ServingKeys,
): NodeJS.Timeout {
  let current = keys;
  const reload = async (): Promise<void> => {
    try {
      const read = await readServingKeys(files);
      if (areSame(read, current)) return;
      server.setSecureContext(tlsOptions(read));
      current = read;
      log.info('the serving certificate was read anew', { file: files.certFile });
    } catch {
      log.warn('the serving certificate can not be read; the last one stays', { file: files.certFile });
    }
  };
  return setInterval(() => void reload(), reloadEveryMs).unref();
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly stop: AbortSignal;
}

/** Authenticates, authorizes, routes: in this order, and nothing before. A bug is a 500, never the process's end. */
async function serve(options: KubeletPortOptions, { request, response, stop }: Exchange): Promise<void> {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  response.once('close', abort);
  stop.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(abort, longestMs);
  // Bodies are of no use here; left unread they would hold up the connection.
  request.resume();
  try {
    await answer(options, request, { response, signal: gone.signal });
  } catch (error) {
    options.context.log.warn('a request failed on a bug', {
      node: options.context.node,
      error: error instanceof Error ? error.name : 'not an Error',
      at: error instanceof Error ? error.stack?.split('\n')[1]?.trim() : undefined,
    });
    if (response.headersSent) response.destroy();
    else answerText(response, 500, 'internal error');
  } finally {
    options.meter?.kubeletAnswered(
      routeName(request.url ?? '/'),
      response.headersSent ? response.statusCode : clientGone,
    );
    clearTimeout(timer);
    stop.removeEventListener('abort', abort);
  }
}

async function answer(
  { context, reviews }: KubeletPortOptions,
  request: IncomingMessage,
  { response, signal }: { readonly response: ServerResponse; readonly signal: AbortSignal },
): Promise<void> {
  const user = await authenticate(request, reviews, signal);
  if (user === undefined) return answerText(response, 401, 'Unauthorized');
  const { method = 'GET', url = '/' } = request;
  const segments = pathSegments(url);
  if (segments === undefined) return answerText(response, 404, '404 page not found');
  const attributes = nodeAttributes(method, segments);
  const allowed = await reviews.isAllowed(user, context.node, attributes, signal);
  const asked = `(user=${user.name}, verb=${attributes.verb}, resource=nodes, subresource(s)=[${attributes.subresources.join(' ')}])`;
  if (!allowed.ok) return answerText(response, 500, `Authorization error ${asked}`);
  if (!allowed.value) return answerText(response, 403, `Forbidden ${asked}`);
  const route = findRoute(method, segments);
  switch (route.kind) {
    case 'not found':
      return answerText(response, 404, '404 page not found');
    case 'method not allowed':
      return answerText(response, 405, 'Method Not Allowed', { allow: route.allow });
    case 'found':
      await route.handler(context, { params: route.params, query: queryOf(url), request, response, signal });
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
