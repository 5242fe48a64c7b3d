import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';

/** What the health port says. */
export interface Health {
  /** Whether the kubelet ports are open and, where this replica leads, every node's first list is done. */
  readonly isReady: () => boolean;
  /** In Prometheus' text form. */
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
}

/**
 * Plain http for probes and Prometheus: `/healthz` while the process runs, `/readyz` as `isReady` says, `/metrics`. Nothing
 * else, and nothing secret: it may listen where the machine's kubelet reaches it.
 */
export async function openHealthPort(
  health: Health,
  where: { readonly address: string; readonly port: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    switch (request.url?.split('?', 1)[0]) {
      case '/healthz':
        return answer(response, 200, 'ok');
      case '/readyz':
        return health.isReady() ? answer(response, 200, 'ok') : answer(response, 503, 'not yet');
      case '/metrics':
        return void answerMetrics(response, health.metrics);
      default:
        return answer(response, 404, '');
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(where.port, where.address, resolve);
  await promise;
  return server;
}

async function answerMetrics(response: ServerResponse, metrics: Health['metrics']): Promise<void> {
  answer(response, 200, await metrics.text(), metrics.contentType);
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type });
  response.end(text);
}
