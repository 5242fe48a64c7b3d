/** Blob storage's access log: Azurite's own reports whole seconds. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Upstream } from '../../../infra/local/gate/upstream.ts';

export interface BlobRequest {
  readonly method: string;
  /** Path without the query, which holds a signature. */
  readonly path: string;
  readonly status: number;
  /** When it was answered, ms since the epoch. */
  readonly answeredAtMs: number;
}

export interface BlobJournal {
  /** To be called instead of the service. */
  readonly url: string;
  requests(): readonly BlobRequest[];
  stop(): Promise<void>;
}

/** Passes on what comes to the service at `url`, and notes it. */
export async function startBlobJournal(url: string): Promise<BlobJournal> {
  const upstream = new Upstream({ url });
  const noted: BlobRequest[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { method = 'GET', url: target = '/', headers } = request;
    const answer = await upstream.forward({ method, target, headers, body: Buffer.concat(chunks) });
    const path = target.split('?')[0] ?? '';
    noted.push({ method, path, status: answer.status, answeredAtMs: Date.now() });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`,
    requests: () => noted,
    stop: () =>
      new Promise((resolve) => {
        upstream.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
