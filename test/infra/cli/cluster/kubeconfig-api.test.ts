import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKubeconfigApi } from '../../../../infra/cli/cluster/kubeconfig-api.ts';
import { proxyFor } from '../../../../infra/cli/cluster/proxy.ts';
import { createCertificateAuthority, issueCertificate } from '../../../../infra/local/pki.ts';

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let dir = '';
let server: Server;
let url = '';
let caPem = '';
let seen: Seen[] = [];
const answers: Record<string, readonly [status: number, body: string]> = {
  '/api/v1/nodes/a': [200, '{"kind":"Node"}'],
  '/api/v1/nodes/secret': [403, '{"kind":"Status","message":"nodes \\"secret\\" is forbidden"}'],
  '/api/v1/nodes/absent': [404, '{"kind":"Status","message":"nodes \\"absent\\" not found"}'],
  '/api/v1/nodes/busy': [503, 'etcd is away'],
};
async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  seen.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, headers: request.headers, body });
  const isKnown = request.headers.authorization === 'Bearer good';
  const [status, answer] = isKnown ? (answers[request.url ?? ''] ?? [200, '{}']) : [401, ''];
  response.writeHead(status, { date: 'Mon, 23 Nov 2026 12:00:00 GMT' }).end(answer);
}

const portOf = (one: TcpServer): number => {
  const address = one.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubeconfig-api-'));
  const authority = await createCertificateAuthority('test');
  const pair = await issueCertificate(authority, {
    commonName: 'api',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
  });
  caPem = authority.certPem;
  server = createServer({ cert: pair.certPem, key: pair.keyPem }, (request, response) => {
    void respond(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `https://127.0.0.1:${portOf(server)}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close').catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  seen = [];
});

interface Config {
  readonly server?: string;
  readonly ca?: string;
  readonly user?: object;
  readonly cluster?: object;
}

function kubeconfig(name: string, { server: at = url, ca = caPem, user = { token: 'good' }, cluster }: Config = {}) {
  const file = join(dir, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'c',
        cluster: { server: at, 'certificate-authority-data': Buffer.from(ca).toString('base64'), ...cluster },
      },
      { name: 'd', cluster: { server: 'https://other.example' } },
    ],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u' } },
      { name: 'there', context: { cluster: 'd', user: 'u' } },
    ],
    'current-context': 'here',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const apiOf = (file: string | undefined, { context = undefined as string | undefined, environment = {} } = {}) =>
  createKubeconfigApi({
    file: () => file,
    context: () => context,
    environment: { HOME: dir, ...environment },
    signal: new AbortController().signal,
  });

const node = { path: '/api/v1/nodes/a' };

describe('the clusters of a kubeconfig', () => {
  it('answers with text and the time of the server', async () => {
    const answer = await apiOf(kubeconfig('plain')).send(node);
    const serverMs = Date.UTC(2026, 10, 23, 12);
    expect(answer).toEqual({ kind: 'answered', status: 200, text: '{"kind":"Node"}', serverMs });
  });

  it('sends bodies as JSON, applies by PATCH, and acts as somebody else', async () => {
    const api = apiOf(kubeconfig('plain'));
    await api.send({ method: 'POST', path: '/x', body: { a: 1 }, as: { user: 'u', groups: ['g', 'h'] } });
    await api.send({ method: 'PATCH', path: '/y', body: { b: 2 } });
    expect(seen.map(({ line, body }) => `${line} ${body}`)).toEqual(['POST /x {"a":1}', 'PATCH /y {"b":2}']);
    expect(seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'impersonate-user': 'u' });
    expect(seen[0]?.headers['impersonate-group']).toBe('g, h');
    expect(seen[1]?.headers['content-type']).toBe('application/apply-patch+yaml');
  });

  it('sends nothing after an interruption, but what takes away what was made', async () => {
    const interrupted = new AbortController();
    interrupted.abort();
    const file = kubeconfig('plain');
    const api = createKubeconfigApi({
      file: () => file,
      context: () => undefined,
      environment: { HOME: dir },
      signal: interrupted.signal,
    });
    expect(await api.send(node)).toMatchObject({ kind: 'unreachable' });
    expect(await api.send({ ...node, method: 'DELETE', evenInterrupted: true })).toMatchObject({ kind: 'answered' });
    expect(seen.map(({ line }) => line)).toEqual(['DELETE /api/v1/nodes/a']);
  });

  it.each([
    ['/api/v1/nodes/secret', { kind: 'forbidden', message: 'nodes "secret" is forbidden' }],
    ['/api/v1/nodes/absent', { kind: 'not-found', message: 'nodes "absent" not found' }],
    ['/api/v1/nodes/busy', { kind: 'refused', status: 503, message: 'HTTP status 503' }],
  ])('%s is a fault', async (path, fault) => {
    expect(await apiOf(kubeconfig('plain')).send({ path })).toEqual(fault);
  });

  it.each<readonly [string, Config, object]>([
    ['a token that is not valid', { user: { token: 'old' } }, { kind: 'unauthenticated' }],
    ['a closed port', { server: 'https://127.0.0.1:9' }, { kind: 'unreachable', why: 'refused' }],
    ['a name that nobody knows', { server: 'https://api.invalid' }, { kind: 'unreachable', why: 'unknown name' }],
    [
      'a plugin that is not there',
      { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'kubelogin-of-nobody' } } },
      { kind: 'plugin-missing', program: 'kubelogin-of-nobody' },
    ],
  ])('%s is a fault', async (_, config, fault) => {
    expect(await apiOf(kubeconfig('broken', config)).send(node)).toEqual(fault);
  });

  it('another authority than that of the kubeconfig is a fault', async () => {
    const other = (await createCertificateAuthority('other')).certPem;
    expect(await apiOf(kubeconfig('rebuilt', { ca: other })).send(node)).toEqual({ kind: 'untrusted' });
  });

  it('a server that says nothing is one that does not answer', async () => {
    const silent = createTcpServer((socket) => void silentSockets.push(socket));
    const silentSockets: Socket[] = [];
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const api = apiOf(kubeconfig('silent', { server: `https://127.0.0.1:${portOf(silent)}` }));
    expect(await api.send({ ...node, timeoutMs: 200 })).toEqual({ kind: 'unreachable', why: 'no answer' });
    for (const socket of silentSockets) socket.destroy();
    silent.close();
  });

  it('finds files as kubectl does, and says when there is none, or no such context', async () => {
    const file = kubeconfig('plain');
    const listed = apiOf(undefined, { environment: { KUBECONFIG: `${join(dir, 'none')}:${file}` } });
    expect(await listed.contexts()).toEqual({
      current: 'here',
      contexts: [
        { name: 'here', server: url },
        { name: 'there', server: 'https://other.example' },
      ],
    });
    expect(await listed.place()).toEqual({ name: 'c', server: url, caPem });
    expect(await apiOf(file, { context: 'there' }).place()).toMatchObject({ name: 'd', caPem: undefined });
    expect(await apiOf(join(dir, 'none')).send(node)).toEqual({ kind: 'no-kubeconfig' });
    expect(await apiOf(undefined).place()).toEqual({ kind: 'no-kubeconfig' });
    expect(await apiOf(file, { context: 'nowhere' }).send(node)).toEqual({ kind: 'no-context' });
    expect(await apiOf(file).send({ ...node, context: 'nowhere' })).toEqual({ kind: 'no-context' });
    writeFileSync(join(dir, 'no-yaml'), 'a: [');
    expect(await apiOf(join(dir, 'no-yaml')).contexts()).toMatchObject({ kind: 'bad-kubeconfig' });
  });
});

/** A plugin that leaves a line for each run. */
function plugin(name: string, end: string): { readonly command: string; readonly runs: () => string[] } {
  const command = join(dir, name);
  writeFileSync(command, `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO $GIVEN" >> "${command}.runs"\n${end}\n`);
  chmodSync(command, 0o755);
  return { command, runs: () => readFileSync(`${command}.runs`, 'utf8').trim().split('\n') };
}

const execUser = (command: string): object => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command, env: [{ name: 'GIVEN', value: 'given' }] },
});

describe('an exec plugin', () => {
  it('gives the token, knows its protocol and its environment, and runs once for many requests', async () => {
    const credential = `{"kind":"ExecCredential","status":{"token":"good"}}`;
    const { command, runs } = plugin('gives', `echo '${credential}'`);
    const api = apiOf(kubeconfig('exec', { user: execUser(command) }));
    const all = await Promise.all([1, 2, 3].map(() => api.send(node)));
    expect(all.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);
    expect(runs()).toEqual([
      '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}} given',
    ]);
  });

  it('whose login has expired, or that fails, is reported as such', async () => {
    const expired = plugin('expired', 'echo "AADSTS700082: The refresh token has expired" >&2; exit 1');
    expect(await apiOf(kubeconfig('exec', { user: execUser(expired.command) })).send(node)).toEqual({
      kind: 'login-expired',
    });
    const broken = plugin('broken', 'echo "no such profile" >&2; exit 1');
    expect(await apiOf(kubeconfig('exec', { user: execUser(broken.command) })).send(node)).toEqual({
      kind: 'plugin-failed',
      program: broken.command,
      message: 'no such profile',
    });
  });
});

describe('a proxy', () => {
  it('of the kubeconfig or of the environment is the way to the server', async () => {
    const asked: string[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      const onward = connect(portOf(server), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      socket.on('error', () => onward.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const proxyUrl = `http://127.0.0.1:${portOf(proxy)}`;
    const named = apiOf(kubeconfig('named', { cluster: { 'proxy-url': proxyUrl } }));
    expect(await named.send(node)).toMatchObject({ kind: 'answered' });
    const far = kubeconfig('far', { server: 'https://far.invalid', cluster: { 'tls-server-name': 'localhost' } });
    const environment = { HTTPS_PROXY: proxyUrl };
    expect(await apiOf(far, { environment }).send(node)).toMatchObject({ kind: 'answered' });
    expect(asked).toEqual([new URL(url).host, 'far.invalid:443']);
    const without = { ...environment, NO_PROXY: '.invalid' };
    expect(await apiOf(far, { environment: without }).send(node)).toMatchObject({ why: 'unknown name' });
    proxy.close();
  });

  it.each([
    ['https://api.example', {}, undefined],
    ['https://api.example', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['https://api.example', { https_proxy: 'p:1' }, 'http://p:1'],
    ['https://api.example', { HTTPS_PROXY: 'p', NO_PROXY: 'example' }, undefined],
    ['https://api.example', { HTTPS_PROXY: 'p', NO_PROXY: 'pi.example' }, 'http://p'],
    ['https://api.example:6443', { HTTPS_PROXY: 'p', NO_PROXY: 'api.example:443' }, 'http://p'],
    ['https://api.example:6443', { HTTPS_PROXY: 'p', NO_PROXY: 'x, api.example:6443' }, undefined],
    ['https://10.1.2.3', { HTTPS_PROXY: 'p', NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { HTTPS_PROXY: 'p', NO_PROXY: '10.0.0.0/8' }, 'http://p'],
    ['https://api.example', { HTTPS_PROXY: 'p', NO_PROXY: '*' }, undefined],
    ['https://127.0.0.1:6443', { HTTPS_PROXY: 'p' }, undefined],
    ['https://[::1]:6443', { HTTPS_PROXY: 'p' }, undefined],
    ['https://localhost', { HTTPS_PROXY: 'p' }, undefined],
  ])('%s with %j: %s', (at, environment, expected) => {
    expect(proxyFor(at, environment)).toBe(expected);
  });
});
