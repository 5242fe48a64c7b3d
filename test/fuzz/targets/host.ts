import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';
import type { FunctionsHost } from '../../../infra/local/host/supervisor.ts';
import { startFunctionsHost } from '../../../infra/local/host/supervisor.ts';
import { clusterUid, registration, settingsOf } from '../../fixtures/settings.ts';
import type { Dice } from '../dice.ts';
import type { Mutator } from '../mutator.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';

/** Bytes on a socket into the local Functions host with the real app in its worker processes. */
export const host: Target = {
  name: 'host',
  share: 'sockets',
  cases: 300,
  testCases: 0,
  hangMs: 30_000,
  open: async () => {
    const parts = await openHost();
    return {
      run: (one) => playBytes(one, parts),
      close: () => parts.close(),
    };
  },
};

const path = `/api/clusters/${clusterUid}/pod-events`;
const repository = join(import.meta.dirname, '..', '..', '..');

interface Parts {
  readonly host: FunctionsHost;
  readonly token: string;
  readonly secrets: Secrets;
  /** What the app asked of tables, ARM and the API server, but for reviews of tokens. */
  readonly effects: string[];
  readonly logs: () => string;
  close(): Promise<void>;
}

async function openHost(): Promise<Parts> {
  const dir = mkdtempSync(join(tmpdir(), 'fuzz-host-'));
  const secrets = new Secrets();
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { exp: Date.now() / 1000 + 86_400, aud: ['serverless-kubelet'], planted: secrets.plant('claim', '') };
  const token = secrets.keep('token', `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`);
  const effects: string[] = [];
  const authority = await createCertificateAuthority('fuzz');
  const pair = await issueCertificate(authority, { commonName: 'api', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const api = createTlsServer({ cert: pair.certPem, key: pair.keyPem }, (request, response) => {
    void answerReview(request, response);
  });
  const answerReview = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    const isReview = request.url === '/apis/authentication.k8s.io/v1/tokenreviews';
    if (!isReview) effects.push(`${request.method} ${request.url}`);
    const user = { username: 'system:serviceaccount:kube-system:relay', groups: [] };
    const isKnown = isReview && body.includes(`"${token}"`);
    const status = isKnown ? { authenticated: true, audiences: ['serverless-kubelet'], user } : {};
    response.writeHead(isReview ? 201 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'TokenReview', status }));
  };
  const table = createServer((request, response) => {
    effects.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(503).end();
  });
  const [apiPort, tablePort] = [await listen(api), await listen(table)];
  const settingsFile = join(dir, 'settings.json');
  const cluster = {
    ...registration([{ name: 'aci-1' }]),
    server: `https://127.0.0.1:${apiPort}`,
    certificateAuthority: authority.certPem,
  };
  writeFileSync(settingsFile, JSON.stringify({ Values: environment(tablePort, apiPort, { cluster, secrets }) }));
  const started = await startFunctionsHost({
    appRoot: repository,
    entry: 'functions/index.ts',
    port: 0,
    settingsFile,
    logDir: join(dir, 'logs'),
    startUpDelayMs: 0,
    httpRecoveryMs: 50,
    maxBodyBytes: bodyLimit,
  });
  return {
    host: started,
    token,
    secrets,
    effects,
    logs: () => allText(join(dir, 'logs')),
    close: async () => {
      await started.stop();
      for (const server of [api, table]) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const environment = (
  tablePort: number,
  apiPort: number,
  { cluster, secrets }: { readonly cluster: object; readonly secrets: Secrets },
): Record<string, string> => ({
  ...settingsOf(),
  CLUSTERS: JSON.stringify([cluster]),
  PROD_TOKEN: secrets.plant('PROD_TOKEN', ''),
  ARM_ENDPOINT: `https://127.0.0.1:${apiPort}`,
  ARM_CREDENTIAL: 'default',
  AzureWebJobsStorage: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${Buffer.from(secrets.plant('storage', '')).toString('base64')};TableEndpoint=http://127.0.0.1:${tablePort}/a;`,
  'AzureWebJobs.node-heartbeat.Disabled': 'true',
  'AzureWebJobs.pod-sweep.Disabled': 'true',
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

const allText = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');

const clientAnswers = new Set([100, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 426, 431, 501, 505]);

/** Of the host; the app's own is a mebibyte. */
const bodyLimit = 4_194_304;

/** The host itself answers a body that claims to be over its limit, and with 500: the app never sees the request. */
function isOverLimit(pieces: readonly Buffer[]): boolean {
  const text = Buffer.concat(pieces).toString('latin1');
  return [...text.matchAll(/^content-length: *(\d+) *\r$/gim)].some(([, length]) => Number(length) > bodyLimit);
}

async function playBytes(one: Case, parts: Parts): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secret = parts.secrets.plant('body', '');
  const request = requestBytes({ dice, mutator, token: parts.token, secret });
  one.show = () =>
    parts.secrets.mask(request.pieces.map((piece) => piece.subarray(0, 1_500).toString('latin1')).join('⏸'));
  parts.effects.length = 0;
  const answer = await exchange(parts.host.url, request.pieces);
  const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
  const health = await fetch(`${parts.host.url}/api/clusters/${clusterUid}/pod-events`, { method: 'POST', body: '{}' });
  const isRefusedByHost = isOverLimit(request.pieces);
  const faults = [
    ...statuses
      .filter((status) => !(status === 500 && isRefusedByHost))
      // The host's own page at `/` is for everybody.
      .filter((status) => !clientAnswers.has(status) && !answer.includes('Functions app is up and running'))
      .map((status) => `${request.kind}: a client's mistake is answered ${status}`),
    ...(health.status === 401 ? [] : [`after it the app answers ${health.status}`]),
    ...parts.effects.map((effect) => `${request.kind}: ${effect}`),
    ...parts.secrets.findIn('the answer', answer),
    ...parts.secrets.findIn('the log', parts.logs()),
  ];
  return { outcome: statuses.join('+') || 'closed', faults };
}

interface Ingredients {
  readonly dice: Dice;
  readonly mutator: Mutator;
  readonly token: string;
  readonly secret: string;
}

interface Sent {
  readonly kind: string;
  /** Sent one after the other, with a pause between. */
  readonly pieces: readonly Buffer[];
}

/** A request, and what it is made of. */
interface Draft extends Ingredients {
  readonly body: Buffer;
  readonly length: string;
  readonly whole: Buffer;
  readonly head: (more: readonly string[], target?: string, method?: string) => string;
}

type Pieces = readonly (Buffer | string)[];

const withBody = ({ head }: Draft, body: Buffer): Pieces => [head([`content-length: ${body.length}`]), body];
const oneLine = (text: string): string => text.replaceAll(/[\r\n]/g, '');

/** Ways of sending a request of which at least one thing is wrong, so that nothing may come of it. */
const drafts: Readonly<Record<string, (draft: Draft) => Pieces>> = {
  'bent body': (draft) => withBody(draft, draft.mutator.json('body', JSON.parse(draft.body.toString('utf8')))),
  bytes: ({ mutator, whole }) => [mutator.bytes('request', whole)],
  header: ({ head, length, mutator, body }) => [head([length, `x-strange: ${mutator.text('header', 'v')}`]), body],
  length: ({ head, dice, body }) => [
    head([`content-length: ${dice.pick(['-1', '0', '5', '1e3', '99999999', '0x10', '1, 2', ''])}`]),
    body,
  ],
  'both lengths': ({ head, length, whole }) => [
    head([length, 'transfer-encoding: chunked']),
    '5\r\nhello\r\n0\r\n\r\n',
    whole,
  ],
  chunks: ({ head, dice }) => [
    head(['transfer-encoding: chunked']),
    dice.pick(['5\r\nhello\r\n0\r\n\r\n', 'zz\r\n', 'ffffffffffffffff\r\n', '5\r\nhel']),
  ],
  'huge header': ({ head, length, dice, body }) => [
    head([length, `x-big: ${'x'.repeat(dice.pick([20_000, 200_000]))}`]),
    body,
  ],
  'many headers': ({ head, length, body }) => [
    head([length, ...Array.from({ length: 3_000 }, (_, index) => `x-${index}: y`)]),
    body,
  ],
  'huge body': (draft) => withBody(draft, Buffer.alloc(draft.dice.pick([1_048_577, 5_000_000]), 0x20)),
  path: ({ head, length, mutator, body }) => [head([length], oneLine(mutator.text('path', path))), body],
  'long path': ({ head, length, dice, body }) => [
    head([length], `${path}?${'x'.repeat(dice.pick([9_000, 100_000]))}`),
    body,
  ],
  method: ({ head, length, dice, body }) => [
    head([length], path, dice.pick(['PUT', 'post', 'CONNECT', 'TRACE', 'OPTIONS', 'GET', 'BREW', ''])),
    body,
  ],
  slow: ({ head, length, body }) => [head([length]).slice(0, 60), head([length]).slice(60), body.subarray(0, 3)],
  pipeline: ({ whole }) => [whole.toString('latin1').replace('connection: close\r\n', ''), whole],
  'no http': ({ dice }) => [
    dice.pick([
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001',
      'SSH-2.0-x\r\n',
      'GET\r\n\r\n',
      '\r\n\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\u0000'.repeat(100),
    ]),
  ],
  token: ({ head, length, mutator, token, body }) => [
    head([length]).replace(token, oneLine(mutator.text('token', `${token.slice(0, -1)}X`))),
    body,
  ],
  upgrade: ({ head, length, body }) => [
    head([length, 'upgrade: websocket', 'connection: upgrade', 'expect: 100-continue']),
    body,
  ],
  logs: ({ head, mutator }) => [
    head(
      [],
      `/api/clusters/${clusterUid}/nodes/${pathText(mutator.text('node', 'aci-9'))}x/pods/d/p/u/containers/c/logs`,
      'GET',
    ),
  ],
};

const pathText = (text: string): string => text.replaceAll(/\s/g, '');

function requestBytes(ingredients: Ingredients): Sent {
  const { dice, token, secret } = ingredients;
  const kind = dice.pick(Object.keys(drafts));
  const body = Buffer.from(JSON.stringify({ epoch: 'e', seq: 1, kind: 'all', pods: [], secret }));
  const head: Draft['head'] = (more, target = path, method = 'POST') =>
    [
      `${method} ${target} HTTP/1.1`,
      'host: localhost',
      `authorization: Bearer ${token}`,
      'content-type: application/json',
      'connection: close',
      ...more,
      '',
      '',
    ].join('\r\n');
  const length = `content-length: ${body.length}`;
  const whole = Buffer.concat([Buffer.from(head([length])), body]);
  const pieces = drafts[kind]?.({ ...ingredients, body, length, whole, head }) ?? [];
  return { kind, pieces: pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)) };
}

const pauseMs = 5;
const patienceMs = 500;

/** Sends and reads until the other side closes, or says nothing any more. */
function exchange(url: string, pieces: readonly Buffer[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect(Number(port), hostname);
  const end = (): void => {
    socket.destroy();
    resolve(text);
  };
  socket.setTimeout(patienceMs, end);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', end);
  socket.on('close', end);
  socket.on('connect', () => {
    void (async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece);
        await new Promise((done) => setTimeout(done, pauseMs));
      }
    })();
  });
  return promise;
}
