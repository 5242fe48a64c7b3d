import { type Server, createServer } from 'node:http';

/** What the health port tells. */
export interface Health {
  /** Whether every node's first list is done. */
  readonly isReady: () => boolean;
}

/** Plain http for probes: `/healthz` while the process runs, `/readyz` once every node's pods are listed. Nothing else. */
export async function openHealthPort(
  health: Health,
  where: { readonly address: string; readonly port: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    const isReady = request.url === '/healthz' || (request.url === '/readyz' && health.isReady());
    const isKnown = request.url === '/healthz' || request.url === '/readyz';
    const status = isKnown ? (isReady ? 200 : 503) : 404;
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(status === 200 ? 'ok' : status === 503 ? 'not yet' : '');
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(where.port, where.address, resolve);
  await promise;
  return server;
}
