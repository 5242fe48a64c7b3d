import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createImageRegistry } from '../../../shared/adapters/registry/image-registry.ts';
import type { ImageRegistryConfig } from '../../../shared/adapters/registry/image-registry.ts';
import type { ImageSource } from '../../../shared/core/image/image-source.ts';
import type { ImageQuery, ImageRegistry, RegistryLogin } from '../../../shared/ports/image-registry.ts';
import type { KeyPair } from '../../../infra/local/pki.ts';
import type { SampleImage } from '../../fixtures/images.ts';

/** What a request brought. */
export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Said {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Undefined: it took the response into its own hands. */
export type Answer = (asked: Asked, response: ServerResponse) => Said | undefined;

export interface SmallRegistry extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly asked: Asked[];
  /** How many connected, whether or not they asked. */
  readonly connections: () => number;
}

/** A server on loopback that says what it is asked to. */
export async function smallRegistry(answer: Answer, tls?: KeyPair): Promise<SmallRegistry> {
  const asked: Asked[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
      asked.push(one);
      const said = answer(one, response);
      if (said === undefined) return;
      response.writeHead(said.status ?? 200, said.headers);
      response.end(said.body ?? '');
    });
  };
  const server =
    tls === undefined ? createServer(onRequest) : createTlsServer({ cert: tls.certPem, key: tls.keyPem }, onRequest);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    asked,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A registry's answers for an image that it has, under any tag and in any repository. */
export const serving =
  (image: SampleImage): Answer =>
  ({ method, path }) => {
    const found = [image, ...image.manifests].find(({ digest }) => path.endsWith(`/manifests/${digest}`));
    const blob = image.blobs.find(({ digest }) => path.endsWith(`/blobs/${digest}`));
    const manifest = found ?? (/\/manifests\/[^:]+$/.test(path) ? image : undefined);
    if (manifest !== undefined)
      return {
        headers: { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest },
        body: method === 'HEAD' ? '' : manifest.bytes,
      };
    return blob === undefined ? errorOf(404, 'MANIFEST_UNKNOWN', 'manifest unknown') : { body: blob.bytes };
  };

export const errorOf = (status: number, code: string, message: string): Said => ({
  status,
  body: JSON.stringify({ errors: [{ code, message }] }),
});

export const challenged = (text: string): Said => ({ status: 401, headers: { 'www-authenticate': text } });

/** A client for which `registry.example` is at that origin. */
export const registryAt = (origin: string, more: Partial<ImageRegistryConfig> = {}): ImageRegistry =>
  createImageRegistry({
    endpoints: { 'registry.example': origin },
    userAgent: 'test/1',
    requestTimeoutMs: 2_000,
    ...more,
  });

export function queryOf(
  reference: string,
  { registry = 'registry.example', logins = [] }: { registry?: string; logins?: readonly RegistryLogin[] } = {},
): ImageQuery {
  const kind: ImageSource['reference']['kind'] = reference.startsWith('sha256:') ? 'digest' : 'tag';
  return { source: { registry, repository: 'team/app', reference: { kind, value: reference } }, logins };
}
