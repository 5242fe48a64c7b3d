import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import type { KeyPair } from '../../../infra/local/pki.ts';

export interface WatchedCluster {
  readonly url: string;
  readonly caPem: string;
}

/** Hears every change of a collection from now on, as any client does. Returns what ends it. */
export function watchObjects(
  cluster: WatchedCluster,
  { path, certificate }: { readonly path: string; readonly certificate: KeyPair },
  hear: (event: unknown, atMs: number) => void,
): () => void {
  const agent = new Agent({ ca: cluster.caPem, cert: certificate.certPem, key: certificate.keyPem });
  const sent = request(`${cluster.url}${path}?watch=true&resourceVersion=0&timeoutSeconds=3600`, { agent });
  sent.on('error', () => undefined);
  sent.on('response', (response) => {
    response.on('error', () => undefined);
    // The lines end with the response, however that ends.
    const lines = createInterface({ input: response });
    lines.on('error', () => undefined);
    lines.on('line', (line) => hear(JSON.parse(line), Date.now()));
  });
  sent.end();
  return () => {
    sent.destroy();
    agent.destroy();
  };
}
