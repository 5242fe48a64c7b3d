import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient, KubernetesClientConfig } from '../../../shared/adapters/kubernetes/http.ts';
import { defined } from '../../../shared/core/defined.ts';

/** What a request brought. */
export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Canned {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is when a text, else as JSON. */
  readonly body?: unknown;
}

/** A server on loopback that says what it is asked to. */
export interface CannedServer extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  readonly client: KubernetesClient;
}

type Answer = Canned | ((received: Received, response: ServerResponse) => Canned | undefined);

/** `answer` may take the response into its own hands by returning undefined. */
export async function cannedServer(
  answer: Answer,
  config: Partial<KubernetesClientConfig> = {},
): Promise<CannedServer> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one: Received = {
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'http://server'),
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      received.push(one);
      const canned = typeof answer === 'function' ? answer(one, response) : answer;
      if (canned === undefined) return;
      const { status = 200, headers = {}, body = '' } = canned;
      response.writeHead(status, headers);
      response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createKubernetesClient({
    server: url,
    getToken: async () => 'token-1',
    requestTimeoutMs: 5000,
    userAgent: 'test/1',
    ...config,
  });
  return {
    url,
    received,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const statusBody = (code: number, reason: string, message = `it is ${reason}`) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason,
  message,
  code,
});

export const never = new AbortController().signal;

export const podJson = (name: string, over: { node?: string; uid?: string; status?: object } = {}) => ({
  metadata: {
    name,
    namespace: 'default',
    uid: over.uid ?? `uid-${name}`,
    resourceVersion: '7',
    creationTimestamp: '2026-11-23T11:00:00Z',
  },
  spec: { nodeName: over.node ?? 'aci-1', containers: [{ name: 'c', image: 'i' }] },
  status: over.status ?? { phase: 'Pending' },
});

export const podList = (items: readonly unknown[], next?: string) => ({
  kind: 'PodList',
  apiVersion: 'v1',
  metadata: { resourceVersion: '9', ...defined({ continue: next }) },
  items,
});

/** Answers 101, unasked: some proxies do. */
export function switchProtocols(_: Received, response: ServerResponse): undefined {
  response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
}
