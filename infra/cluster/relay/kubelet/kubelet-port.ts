import { constants } from 'node:crypto';
import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RelayMeter } from '../metrics/relay-metrics.ts';
import { nodeAttributes } from './attributes.ts';
import { authenticate } from './authentication.ts';
import { answerText } from './call.ts';
import type { Caller, KubeletContext } from './call.ts';
import { isHolder } from './leader-forward.ts';
import { pathSegments, queryOf } from './request-path.ts';
import type { Reviews } from './reviews.ts';
import { findRoute, isForPeers, routeName } from './routes.ts';
import { areSame, readServingKeys } from './serving-files.ts';
import type { ServingFiles, ServingKeys } from './serving-files.ts';
import type { Upgrade } from './upgrade.ts';

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
const switched = 101;
/** Dead peers are found by it, however long a stream says nothing. */
const keepAliveMs = 30_000;

/** The kubelet's HTTPS API of one node, as the API server calls it. */
export class KubeletPort {
  readonly port: number;
  readonly #server: Server;
  readonly #stop: AbortController;
  readonly #reload: NodeJS.Timeout;
  /** Connections that speak another protocol than HTTP, which the server no longer knows. */
  readonly #upgraded: ReadonlySet<Duplex>;

  private constructor({ server, stop, reload, upgraded }: PortParts) {
    this.#server = server;
    this.#upgraded = upgraded;
    this.#stop = stop;
    this.#reload = reload;
    this.port = portOf(server.address());
  }

  /** Listens. Rejects when the certificate can't be used, or the port is taken. */
  static async open(options: KubeletPortOptions): Promise<KubeletPort> {
    const held: HeldKeys = { current: await readServingKeys(options.files) };
    const stop = new AbortController();
    const server = createServer(
      { ...tlsOptions(held.current), requestCert: true, rejectUnauthorized: false, keepAliveTimeout: idleMs },
      (request, response) => void serve(options, { request, response, stop: stop.signal, held }),
    );
    const upgraded = new Set<Duplex>();
    server.on('upgrade', (request, socket, head) => {
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket)).on('error', () => undefined);
      if (!(socket instanceof Socket)) return void socket.destroy();
      void serve(
        options,
        upgradeExchange({ request, socket, head, isTaken: false }, { socket, stop: stop.signal, held }),
      );
    });
    server.on('tlsClientError', () => undefined);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(options.port, options.address, resolve);
    await promise;
    return new KubeletPort({ server, stop, reload: watchKeys(server, options, held), upgraded });
  }

  /** Ends all connections, streams included. */
  async close(): Promise<void> {
    clearInterval(this.#reload);
    this.#stop.abort();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
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

/** The keys that the port shows now. */
interface HeldKeys {
  current: ServingKeys;
}

/** Takes up keys that were renewed. Ones that don't fit are left alone: the other half may be still to come. */
function watchKeys(
  server: Server,
  { files, context: { log }, reloadEveryMs = defaultReloadMs }: KubeletPortOptions,
  held: HeldKeys,
): NodeJS.Timeout {
  const reload = async (): Promise<void> => {
    try {
      const read = await readServingKeys(files);
      if (areSame(read, held.current)) return;
      server.setSecureContext(tlsOptions(read));
      held.current = read;
      log.info('the serving certificate was read anew', { file: files.certFile });
    } catch {
      log.warn('the serving certificate can not be read; the last one stays', { file: files.certFile });
    }
  };
  return setInterval(() => void reload(), reloadEveryMs).unref();
}

interface PortParts {
  readonly server: Server;
  readonly stop: AbortController;
  readonly reload: NodeJS.Timeout;
  readonly upgraded: ReadonlySet<Duplex>;
}

/** Who asks for another protocol is answered over HTTP until he gets it, and for the last time where he does not. */
function upgradeExchange(upgrade: Upgrade, { socket, stop, held }: Upgrading): Exchange {
  const response = new ServerResponse(upgrade.request);
  socket.setTimeout(0).setKeepAlive(true, keepAliveMs);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.end());
  return { request: upgrade.request, response, upgrade, stop, held };
}

interface Upgrading extends Pick<Exchange, 'stop' | 'held'> {
  readonly socket: Socket;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgrade?: Upgrade;
  readonly stop: AbortSignal;
  readonly held: HeldKeys;
}

/** Authenticates, authorizes, routes: in this order, and nothing before. A bug is a 500, never the process's end. */
async function serve(options: KubeletPortOptions, { request, response, upgrade, stop, held }: Exchange): Promise<void> {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  response.once('close', abort);
  upgrade?.socket.once('close', abort);
  stop.addEventListener('abort', abort, { once: true });
  // A stream that was taken over ends when nothing is said on it.
  const timer = setTimeout(() => (upgrade?.isTaken === true ? undefined : abort()), longestMs);
  // Bodies are of no use here; left unread they would hold up the connection.
  request.resume();
  try {
    await answer(options, request, { response, upgrade, signal: gone.signal, keys: held.current });
  } catch (error) {
    options.context.log.warn('a request failed on a bug', {
      node: options.context.node,
      error: error instanceof Error ? error.name : 'not an Error',
      at: error instanceof Error ? error.stack?.split('\n')[1]?.trim() : undefined,
    });
    if (upgrade?.isTaken === true) upgrade.socket.destroy();
    else if (response.headersSent) response.destroy();
    else answerText(response, 500, 'internal error');
  } finally {
    options.meter?.kubeletAnswered(routeName(request.url ?? '/'), statusOf(response, upgrade));
    clearTimeout(timer);
    stop.removeEventListener('abort', abort);
  }
}

const statusOf = (response: ServerResponse, upgrade: Upgrade | undefined): number => {
  if (upgrade?.isTaken === true) return switched;
  return response.headersSent ? response.statusCode : clientGone;
};

interface Answering {
  readonly response: ServerResponse;
  readonly upgrade: Upgrade | undefined;
  readonly signal: AbortSignal;
  readonly keys: ServingKeys;
}

async function answer(
  options: KubeletPortOptions,
  request: IncomingMessage,
  { response, upgrade, signal, keys }: Answering,
): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const segments = pathSegments(url);
  // Another replica has seen to who may ask, and asks for nothing but what the leader alone knows.
  const isPeer = segments !== undefined && isForPeers(method, segments) && isHolder(request.socket, keys);
  const refusal = isPeer ? undefined : await refuse(options, request, segments, signal);
  if (refusal !== undefined) return answerText(response, refusal.status, refusal.text);
  const route = segments === undefined ? ({ kind: 'not found' } as const) : findRoute(method, segments);
  switch (route.kind) {
    case 'not found':
      return answerText(response, 404, '404 page not found');
    case 'method not allowed':
      return answerText(response, 405, 'Method Not Allowed', { allow: route.allow });
    case 'found': {
      const caller: Caller = { isPeer, port: request.socket.localPort ?? options.port, keys };
      await route.handler(options.context, {
        params: route.params,
        query: queryOf(url),
        request,
        response,
        upgrade,
        signal,
        caller,
      });
    }
  }
}

interface Refused {
  readonly status: number;
  readonly text: string;
}

/** Who asks, and whether they may; undefined: they may. */
async function refuse(
  { context, reviews }: KubeletPortOptions,
  request: IncomingMessage,
  segments: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Refused | undefined> {
  const user = await authenticate(request, reviews, signal);
  if (user === undefined) return { status: 401, text: 'Unauthorized' };
  if (segments === undefined) return { status: 404, text: '404 page not found' };
  const attributes = nodeAttributes(request.method ?? 'GET', segments);
  const allowed = await reviews.isAllowed(user, context.node, attributes, signal);
  const asked = `(user=${user.name}, verb=${attributes.verb}, resource=nodes, subresource(s)=[${attributes.subresources.join(' ')}])`;
  if (!allowed.ok) return { status: 500, text: `Authorization error ${asked}` };
  return allowed.value ? undefined : { status: 403, text: `Forbidden ${asked}` };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
