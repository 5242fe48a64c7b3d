import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setDefaultCACertificates, getCACertificates } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';

const envelope = z.object({
  tags: z.record(z.string(), z.string()),
  data: z.object({ baseType: z.string(), baseData: z.record(z.string(), z.unknown()) }),
});

/** Application Insights' ingestion endpoint on loopback: HTTPS, as the exporter sends a token to nothing else. */
export class Ingestion {
  readonly envelopes: z.infer<typeof envelope>[] = [];
  readonly authorizations = new Set<string | undefined>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Makes this process trust a certificate authority of its own. */
  static async start(): Promise<Ingestion> {
    const authority = await createCertificateAuthority('ingestion');
    const pair = await issueCertificate(authority, {
      commonName: 'ingestion',
      ipAddresses: ['127.0.0.1'],
      dnsNames: ['localhost'],
      usages: ['server'],
    });
    setDefaultCACertificates([...getCACertificates('default'), authority.certPem]);
    const server = createServer({ cert: pair.certPem, key: pair.keyPem });
    const ingestion = new Ingestion(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
        const received = z.array(envelope).parse(JSON.parse(text));
        ingestion.envelopes.push(...received);
        ingestion.authorizations.add(request.headers.authorization);
        const count = received.length;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ itemsReceived: count, itemsAccepted: count, errors: [] }));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    return ingestion;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
