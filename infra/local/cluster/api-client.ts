/** Just enough of an HTTPS client to ask an API server whether it is ready, and to give it a few objects. */
import { Agent, request } from 'node:https';
import type { KeyPair } from '../pki.ts';
import type { ClusterEndpoint } from './kubeconfig.ts';

/** An answer, its body parsed where it is JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** One request. `body` goes out as JSON. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** A client of one API server; `close` lets go of its idle connections. */
export interface ApiClient {
  /** Rejects when there is no answer in time (5 s unless given); every answer is a value, whatever its status. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  close(): void;
}

/** A client that verifies the server by its CA and shows a certificate, a bearer token, or nothing. */
export function createApiClient(
  cluster: ClusterEndpoint,
  credential: { certificate: KeyPair } | { token: string } | Record<string, never>,
): ApiClient {
  const certificate = 'certificate' in credential ? credential.certificate : undefined;
  const agent = new Agent({ keepAlive: true, ca: cluster.caPem, cert: certificate?.certPem, key: certificate?.keyPem });
  const authorization: Record<string, string> =
    'token' in credential ? { authorization: `Bearer ${credential.token}` } : {};
  return {
    send: (call) =>
      exchange(agent, new URL(cluster.url + call.path), { ...call, headers: { ...authorization, ...call.headers } }),
    close: () => agent.destroy(),
  };
}

async function exchange(agent: Agent, url: URL, call: ApiRequest): Promise<ApiAnswer> {
  const text = call.body === undefined ? undefined : JSON.stringify(call.body);
  const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
  const outgoing = request(
    url,
    {
      agent,
      method: call.method ?? 'GET',
      headers: { accept: 'application/json, */*;q=0.5', ...bodyHeaders(text), ...call.headers },
      signal: AbortSignal.timeout(call.timeoutMs ?? 5000),
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) }),
      );
    },
  );
  outgoing.once('error', reject);
  outgoing.end(text);
  return promise;
}

/** With its length: Node would send the body of a DELETE without any framing. */
function bodyHeaders(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
