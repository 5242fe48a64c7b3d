import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cloud } from '../../../infra/local/up/cloud.ts';

/** A loopback door through which test files, which run in other processes, end and restart parts of the cloud. */
export async function listenForOutages(cloud: Cloud): Promise<{ readonly url: string; close(): void }> {
  const acts: Readonly<Record<string, () => Promise<void> | undefined>> = {
    '/relay/kill': () => cloud.killRelay(),
    '/relay/start': () => cloud.startRelay(),
    '/api-server/restart': () => cloud.cluster.controlPlane?.restartApiServer(),
  };
  const server = createServer((request, response) => {
    const act = request.method === 'POST' ? acts[request.url ?? ''] : undefined;
    if (act === undefined) {
      response.writeHead(404).end();
      return;
    }
    Promise.resolve(act()).then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
