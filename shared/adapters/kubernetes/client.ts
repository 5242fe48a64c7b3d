import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { JsonObject } from '../../core/json.ts';
import type { CallObserver } from '../../ports/telemetry.ts';
import { untilAborted } from './deadline.ts';
import { transient } from './fault.ts';
import { isCleanPath } from './path.ts';
import { responseTo } from './response-to.ts';
import { createServerClock } from './server-clock.ts';
import type { ServerClock } from './server-clock.ts';
import { defined } from '../../core/defined.ts';

/** How one cluster's API server is reached. */
export interface KubernetesClientConfig {
  /** `https://host:port[/prefix]`. Plain `http` only on loopback, since every request carries a token. */
  readonly server: string;
  /** The cluster's CA. When given, no other is trusted. */
  readonly caPem?: string;
  /**
   * A bearer token; `fresh` after the server refused the one before: another one, or the same where there is no other.
   * Rejections become `transient` faults, by name only.
   */
  readonly getToken: (options?: { readonly fresh: boolean }) => Promise<string>;
  /** Where the token is from and what to do when it is refused: the end of the sentence of such a fault. No secret. */
  readonly tokenOrigin?: string;
  /** Sends every request as `system:node:<name>` of group `system:nodes`. */
  readonly impersonateNode?: string;
  /** For one whole request, token, body and all. */
  readonly requestTimeoutMs: number;
  readonly userAgent: string;
  readonly observe?: CallObserver;
}

/** Connections to one API server under one identity. Share one per cluster: its sockets are kept alive. */
export interface KubernetesClient {
  readonly config: KubernetesClientConfig;
  readonly clock: ServerClock;
  readonly agent: Agent;
  /** Ends idle and busy sockets. */
  close(): void;
}

export interface KubernetesRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Encoded, absolute, without query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** A PATCH body is a strategic merge patch. */
  readonly body?: JsonObject;
  /** Media types, best first; JSON unless given. */
  readonly accept?: string;
}

/** Below the 90 s after which the API server closes an idle connection, so that its end is not met by a request. */
const idleSocketMs = 30_000;
const maxSockets = 64;

/** Throws on a `server` that is no URL, or plain http beyond loopback: settings are checked before they come here. */
export function createKubernetesClient(config: KubernetesClientConfig): KubernetesClient {
  const url = new URL(config.server);
  const options = { keepAlive: true, timeout: idleSocketMs, maxSockets };
  if (url.protocol !== 'https:' && !isLoopback(url))
    throw new TypeError(`the API server must be reached over https: ${url.origin}`);
  const agent =
    url.protocol === 'https:'
      ? new HttpsAgent({
          ...options,
          ...defined({ ca: config.caPem }),
          // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED can't turn it off.
          rejectUnauthorized: true,
        })
      : new (plainHttp().Agent)(options);
  return { config, clock: createServerClock(), agent, close: () => agent.destroy() };
}

/** The same connections, spoken over as a node. */
export const asNode = (client: KubernetesClient, nodeName: string): KubernetesClient => ({
  ...client,
  config: { ...client.config, impersonateNode: nodeName },
});

/**
 * Sends once and answers with the response, its body unread. A 401 is tried a second time if there is another token: the
 * server did nothing, so this is safe for every method. Never throws.
 */
export async function send(
  client: KubernetesClient,
  outgoing: KubernetesRequest,
  signal: AbortSignal,
): Promise<Result<IncomingMessage>> {
  if (!isCleanPath(outgoing.path))
    return fail({
      kind: 'rejected',
      code: 'InvalidName',
      message: `not a path of the Kubernetes API: ${outgoing.path}`,
    });
  try {
    const token = await untilAborted(client.config.getToken(), signal);
    const first = await exchange(client, outgoing, { token, signal });
    if (first.statusCode !== 401) return ok(first);
    const other = await otherToken(client, token, signal);
    if (other === undefined) return ok(first);
    first.resume();
    return ok(await exchange(client, outgoing, { token: other, signal }));
  } catch (error) {
    return fail(transient(`${outgoing.method} ${outgoing.path}: ${errorName(error)}`));
  }
}

/** What else to try; undefined where the refused token is all there is, or no other could be had: the refusal stays. */
async function otherToken(client: KubernetesClient, refused: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const token = await untilAborted(client.config.getToken({ fresh: true }), signal);
    return token === refused ? undefined : token;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

async function exchange(
  client: KubernetesClient,
  outgoing: KubernetesRequest,
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const body = outgoing.body === undefined ? undefined : Buffer.from(JSON.stringify(outgoing.body));
  const request = openRequest(client, outgoing, headersFor(client.config, outgoing, { token, body }));
  const answered = responseTo(request, signal);
  request.end(body);
  const response = await answered;
  // Whoever reads the body sees its end; a body that nobody reads must not end the process.
  response.on('error', () => undefined);
  client.clock.observe(response.headers.date);
  return response;
}

function openRequest(
  client: KubernetesClient,
  outgoing: KubernetesRequest,
  headers: Record<string, string>,
): ClientRequest {
  const url = new URL(client.config.server);
  const query = new URLSearchParams(outgoing.query).toString();
  const path = `${url.pathname.replace(/\/$/, '')}${outgoing.path}${query === '' ? '' : `?${query}`}`;
  const all = {
    headers,
    agent: client.agent,
    method: outgoing.method,
    hostname: url.hostname.replaceAll(/[[\]]/g, ''),
    port: url.port,
    path,
  };
  return url.protocol === 'https:' ? httpsRequest(all) : plainHttp().request(all);
}

function headersFor(
  config: KubernetesClientConfig,
  outgoing: KubernetesRequest,
  { token, body }: { readonly token: string; readonly body: Buffer | undefined },
): Record<string, string> {
  const contentType = outgoing.method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  return {
    accept: outgoing.accept ?? 'application/json',
    'accept-encoding': 'gzip',
    authorization: `Bearer ${token}`,
    'user-agent': config.userAgent,
    ...(body === undefined ? {} : { 'content-type': contentType, 'content-length': String(body.length) }),
    ...(config.impersonateNode === undefined
      ? {}
      : { 'impersonate-user': `system:node:${config.impersonateNode}`, 'impersonate-group': 'system:nodes' }),
  };
}

/** The error's code (`ECONNRESET`), else its name; never its message, which may quote what was sent. */
export function errorName(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return 'unknown error';
}

/** Only where it is used: an `import` of node:http loads undici for its `WebSocket` export, 20 ms of a cold start. */
const plainHttp = () => process.getBuiltinModule('node:http');

const isLoopback = (url: URL): boolean => /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname);
