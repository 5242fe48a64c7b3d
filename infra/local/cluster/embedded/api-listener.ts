/** The HTTPS door of the embedded cluster: reads requests whole, has them judged, writes the answers and the journal. */
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { authorizeDocument } from './document-access.ts';
import type { KnownTokens } from '../../sim/api-server/reviews.ts';
import type { KeyPair } from '../../pki.ts';
import { pathNotFound, refused } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './authentication.ts';
import { documentOf } from './discovery.ts';
import type { RequestJournal } from './request-journal.ts';
import { mediaType, readBody } from './request-body.ts';
import { parseRequestPath } from './request-path.ts';
import { handleResource } from './resource-handler.ts';
import type { Serving } from './serving.ts';

export interface ListenerOptions {
  readonly port: number;
  readonly caPem: string;
  readonly certificate: KeyPair;
  readonly serving: Serving;
  readonly journal: RequestJournal;
  readonly known: KnownTokens;
  readonly version: string;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

const host = '127.0.0.1';

export async function listen(options: ListenerOptions): Promise<Listener> {
  const server = createServer({
    cert: options.certificate.certPem,
    key: options.certificate.keyPem,
    ca: options.caPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // A resumed session would not show its certificate again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  server.keepAliveTimeout = 90_000;
  server.on('request', (request, response) => void serve(options, request, response));
  server.listen({ port: options.port, host, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return { port: address.port, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

interface Judged {
  readonly user: string;
  readonly answer: Answer;
}

async function serve(options: ListenerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const atMs = Date.now();
  const { method = 'GET', url = '/' } = request;
  let user = '';
  const note = (status: number): void => options.journal.add({ atMs, method, path: url, user, status });
  response.on('error', () => undefined);
  try {
    const judged = await judge(options, request);
    user = judged.user;
    if (response.destroyed) note(0);
    else await send(judged.answer, response, note);
  } catch (error) {
    // A client that left half-way is no bug; anything else is, and is reported as one.
    note(request.errored === null ? 500 : 0);
    if (request.errored === null) console.error(error);
    response.destroy();
  }
}

async function judge(options: ListenerOptions, request: IncomingMessage): Promise<Judged> {
  const body = await readBody(request);
  const state = options.serving.state();
  const authenticated = authenticate(state, request, options.known);
  if (!authenticated.ok) return { user: '', answer: refused(authenticated.refusal) };
  const user = authenticated.value;
  if (body === undefined)
    return {
      user: user.name,
      answer: refused({
        code: 413,
        reason: 'RequestEntityTooLarge',
        message: 'Request entity too large: limit is 3145728',
      }),
    };
  return { user: user.name, answer: await answer(options, request, { user, body }) };
}

async function answer(
  { serving, known, version }: ListenerOptions,
  request: IncomingMessage,
  { user, body }: { readonly user: Parameters<typeof authorizeDocument>[0]; readonly body: Buffer },
): Promise<Answer> {
  const url = readUrl(request.url ?? '/');
  const path = url === undefined ? undefined : parseRequestPath(url.path);
  const { method = 'GET' } = request;
  switch (path?.kind) {
    case 'resource': {
      const accept = request.headers.accept ?? '';
      return handleResource(serving, {
        user,
        method,
        path,
        query: url?.query ?? new URLSearchParams(),
        mediaType: mediaType(request),
        body,
        wantsTable: accept.split(',').some((one) => one.includes('as=Table') && one.includes('v=v1;')),
        known,
      });
    }
    case 'document': {
      const refusal = authorizeDocument(user, method, `/${path.segments.join('/')}`);
      return refusal === undefined
        ? documentOf(path.segments, { address: request.headers.host ?? host, version })
        : refused(refusal);
    }
    case 'unknown':
    case undefined:
      return refused(pathNotFound);
  }
}

function readUrl(text: string): { readonly path: string; readonly query: URLSearchParams } | undefined {
  if (!text.startsWith('/')) return undefined;
  const [path = '', ...rest] = text.split('?');
  return { path, query: new URLSearchParams(rest.join('?')) };
}

async function send(answer: Answer, response: ServerResponse, note: (status: number) => void): Promise<void> {
  switch (answer.kind) {
    case 'stream':
      note(200);
      await answer.start(response);
      return;
    case 'text':
      note(answer.status);
      response.writeHead(answer.status, { 'content-type': answer.contentType ?? 'text/plain; charset=utf-8' });
      response.end(answer.body);
      return;
    case 'json': {
      note(answer.status);
      const text = JSON.stringify(answer.body);
      response.writeHead(answer.status, {
        'content-type': 'application/json',
        'cache-control': 'no-cache, private',
        'content-length': Buffer.byteLength(text),
        ...(answer.status === 413 ? { connection: 'close' } : {}),
      });
      response.end(text);
    }
  }
}
