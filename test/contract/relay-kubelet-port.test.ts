/** A node's port over real TLS: who is let in, how often the API server is asked, and how a log is followed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppAnswer } from '../../infra/cluster/relay/app/app-client.ts';
import { KubeletPort } from '../../infra/cluster/relay/kubelet/kubelet-port.ts';
import { StreamSessions } from '../../infra/cluster/relay/kubelet/stream-sessions.ts';
import { Reviews } from '../../infra/cluster/relay/kubelet/reviews.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import type { KeyPair } from '../../infra/local/pki.ts';
import { cannedServer } from '../adapters/kubernetes/canned-server.ts';
import type { Canned, CannedServer, Received } from '../adapters/kubernetes/canned-server.ts';
import { until } from '../relay/fake-app.ts';

let dir = '';
let ca: KeyPair;
let strangersCa: KeyPair;
let apiServer: CannedServer;
let port: KubeletPort;
let restartCount = 0;
let state: object = { running: { startedAt: '2026-11-23T11:00:00Z' } };
let log: AppAnswer = { kind: 'answer', status: 200, body: '', retryAfterMs: undefined };
const asked: { readonly tail?: number }[] = [];

const podList = () => ({
  kind: 'PodList',
  metadata: {},
  items: [
    {
      metadata: { name: 'p', namespace: 'ns', uid: 'u1' },
      spec: { nodeName: 'aci-1', containers: [{ name: 'c', image: 'i' }] },
      status: { containerStatuses: [{ name: 'c', state, restartCount }] },
    },
  ],
});

function answer({ url, body }: Received): Canned {
  if (url.pathname.endsWith('/tokenreviews')) {
    const { token } = JSON.parse(body).spec;
    const user = { username: token, groups: ['system:authenticated'], extra: { scopes: ['a'] } };
    return { body: { kind: 'TokenReview', status: token.startsWith('bad') ? {} : { authenticated: true, user } } };
  }
  if (url.pathname.endsWith('/subjectaccessreviews')) {
    const { user, resourceAttributes } = JSON.parse(body).spec;
    if (user === 'unlucky') return { status: 500 };
    const allowed = user === 'admin' || (user === 'scraper' && resourceAttributes.subresource === 'metrics');
    return { body: { kind: 'SubjectAccessReview', status: { allowed } } };
  }
  const isOurs = (url.searchParams.get('fieldSelector') ?? '').startsWith('metadata.name=p,');
  return { body: isOurs ? podList() : { kind: 'PodList', metadata: {}, items: [] } };
}

const reviewsOf = (kind: string) => apiServer.received.filter(({ url }) => url.pathname.endsWith(kind));

interface Call {
  readonly token?: string;
  readonly certificate?: KeyPair;
  readonly method?: string;
}

async function open(path: string, { token, certificate, method = 'GET' }: Call = {}): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request(
    {
      host: '127.0.0.1',
      port: port.port,
      path,
      method,
      agent: false,
      ca: ca.certPem,
      ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    },
    resolve,
  )
    .on('error', reject)
    .end();
  return promise;
}

async function call(path: string, how: Call = {}): Promise<{ status: number; body: string }> {
  const response = await open(path, how);
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

const client = (authority: KeyPair, commonName: string, organizations: string[] = []) =>
  issueCertificate(authority, { commonName, organizations, usages: ['client'] });

async function writeServing(commonName: string): Promise<void> {
  const serving = await issueCertificate(ca, { commonName, ipAddresses: ['127.0.0.1'], usages: ['server'] });
  writeFileSync(join(dir, 'tls.crt'), serving.certPem);
  writeFileSync(join(dir, 'tls.key'), serving.keyPem);
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubelet-port-'));
  [ca, strangersCa] = await Promise.all([createCertificateAuthority('ca'), createCertificateAuthority('ca')]);
  writeFileSync(join(dir, 'ca.crt'), ca.certPem);
  await writeServing('first');
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

beforeEach(async () => {
  restartCount = 0;
  state = { running: { startedAt: '2026-11-23T11:00:00Z' } };
  asked.length = 0;
  apiServer = await cannedServer(answer);
  const note = (): void => undefined;
  const getLogs = (target: { readonly tail?: number }): Promise<AppAnswer> => {
    asked.push(target);
    return Promise.resolve(log);
  };
  port = await KubeletPort.open({
    context: {
      node: 'aci-1',
      client: apiServer.client,
      app: {
        getLogs,
        openStream: () => Promise.reject(new Error('no streams here')),
        dialSession: () => Promise.reject(new Error('no sessions here')),
      },
      log: { info: note, warn: note },
      sessions: new StreamSessions(),
      followEveryMs: 100,
    },
    reviews: new Reviews(apiServer.client),
    files: { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key'), clientCaFile: join(dir, 'ca.crt') },
    address: '127.0.0.1',
    port: 0,
    reloadEveryMs: 50,
  });
});

afterEach(async () => {
  await port.close();
  await apiServer[Symbol.asyncDispose]();
});

const content = (...texts: readonly string[]): void => {
  const body = texts.map((text, second) => `2026-11-23T11:00:0${second}.000000000Z ${text}\n`).join('');
  log = { kind: 'answer', status: 200, body, retryAfterMs: undefined };
};

describe('who is let in', () => {
  it.each([
    ['nobody', {}],
    ['a token that the cluster does not know', { token: 'bad' }],
  ])('%s: 401', async (_who, how) => {
    expect(await call('/pods', how)).toEqual({ status: 401, body: 'Unauthorized\n' });
  });

  it("a certificate of another CA of the same name: 401; of the cluster's: by its names", async () => {
    expect((await call('/pods', { certificate: await client(strangersCa, 'admin') })).status).toBe(401);
    expect((await call('/pods', { certificate: await client(ca, 'admin', ['g1', 'g2']) })).status).toBe(200);
    const { spec } = JSON.parse(reviewsOf('/subjectaccessreviews')[0]?.body ?? '{}');
    expect(spec).toEqual({
      user: 'admin',
      groups: ['g1', 'g2', 'system:authenticated'],
      extra: {},
      resourceAttributes: {
        verb: 'get',
        group: '',
        version: 'v1',
        resource: 'nodes',
        name: 'aci-1',
        subresource: 'pods',
      },
    });
  });

  it('one who may read metrics gets no log, and is reported so as a kubelet does', async () => {
    expect((await call('/metrics/cadvisor', { token: 'scraper' })).status).toBe(501);
    expect(await call('/containerLogs/ns/p/c', { token: 'scraper' })).toEqual({
      status: 403,
      body: 'Forbidden (user=scraper, verb=get, resource=nodes, subresource(s)=[proxy])\n',
    });
    expect((await call('/pods', { token: 'scraper' })).body).toContain('subresource(s)=[pods proxy]');
  });

  it('the cluster is asked once, for refusals as well', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      await call('/metrics', { token: 'scraper' });
      await call('/containerLogs/ns/p/c', { token: 'scraper' });
      await call('/metrics', { token: 'bad' });
    }
    expect(reviewsOf('/tokenreviews')).toHaveLength(2);
    expect(reviewsOf('/subjectaccessreviews')).toHaveLength(2);
  });

  it('a cluster that can not be asked lets nobody in, and is asked again', async () => {
    expect((await call('/pods', { token: 'unlucky' })).status).toBe(500);
    await call('/pods', { token: 'unlucky' });
    expect(reviewsOf('/subjectaccessreviews')).toHaveLength(2);
  });

  it('streams ask for create whatever their method, and for another protocol than HTTP', async () => {
    for (const method of ['GET', 'POST'])
      expect(await call('/exec/ns/p/c?command=ls&output=1', { token: 'admin', method })).toEqual({
        status: 400,
        body: 'unable to upgrade: missing upgrade headers in request\n',
      });
    const verbs = reviewsOf('/subjectaccessreviews').map(({ body }) => JSON.parse(body).spec.resourceAttributes.verb);
    expect(verbs).toEqual(['create']);
  });
});

describe('a log', () => {
  it('is chosen as asked; a bare tail is left to Azure', async () => {
    content('one', 'two', 'three');
    const logs = (query: string) => call(`/containerLogs/ns/p/c?${query}`, { token: 'admin' });
    expect((await logs('')).body).toBe('one\ntwo\nthree\n');
    expect((await logs('tailLines=1')).body).toBe('three\n');
    expect(asked.map(({ tail }) => tail)).toEqual([undefined, 1]);
    expect((await logs('timestamps=true&tailLines=1')).body).toBe('2026-11-23T11:00:02.000000000Z three\n');
    expect((await logs('sinceTime=2026-11-23T11:00:01Z')).body).toBe('two\nthree\n');
    expect((await logs('limitBytes=6')).body).toBe('one\ntw');
    expect((await logs('tailLines=x')).status).toBe(400);
    expect((await logs('sinceSeconds=1&sinceTime=2026-11-23T11:00:01Z')).status).toBe(422);
  });

  it('that ACI has cut is shown as it is, and an event reports it', async () => {
    const lines = (count: number): void => {
      const body = '2026-11-23T11:00:00.000000000Z line\n'.repeat(count);
      log = { kind: 'answer', status: 200, body, retryAfterMs: undefined };
    };
    const events = () => apiServer.received.filter(({ url }) => url.pathname === '/api/v1/namespaces/ns/events');
    lines(1000);
    await call('/containerLogs/ns/p/c', { token: 'admin' });
    state = { terminated: { exitCode: 1 } };
    lines(999);
    await call('/containerLogs/ns/p/c', { token: 'admin' });
    expect(events()).toHaveLength(0);
    lines(1000);
    expect((await call('/containerLogs/ns/p/c', { token: 'admin' })).body).toBe('line\n'.repeat(1000));
    await until('the event', () => events().length === 1, 1000);
    expect(JSON.parse(events()[0]?.body ?? '')).toMatchObject({
      reason: 'LogCut',
      involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}' },
    });
  });

  it.each([
    ['/containerLogs/ns/other/c', 404, 'pod "other" does not exist\n'],
    ['/containerLogs/ns/p/x', 404, 'container "x" not found in pod "p"\n'],
    ['/containerLogs/ns/p/c?previous=true', 400, 'previous terminated container "c" in pod "p" not found\n'],
  ])('%s: %i', async (path, status, body) => {
    expect(await call(path, { token: 'admin' })).toEqual({ status, body });
    expect(asked).toEqual([]);
  });

  it('that the app has not: the reason, as a whole answer', async () => {
    log = { kind: 'answer', status: 429, body: '{"error":{"code":"TooManyRequests"}}', retryAfterMs: 1000 };
    expect(await call('/containerLogs/ns/p/c?follow=true', { token: 'admin' })).toMatchObject({ status: 503 });
  });

  it('that is followed begins at once, goes through a failure, and ends with the last line of its run', async () => {
    content('one');
    const response = await open('/containerLogs/ns/p/c?follow=true&tailLines=1', { token: 'admin' });
    expect(response.headers['transfer-encoding']).toBe('chunked');
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => (body += text));
    await until('the first line', () => body === 'one\n', 1000);
    log = { kind: 'unreachable', message: 'ECONNRESET' };
    await until('the failure', () => asked.length >= 2, 4000);
    content('one', 'two');
    restartCount = 1;
    await until('the end', () => response.complete, 8000);
    expect(body).toBe('one\ntwo\n');
  });

  it('that is followed is no longer read once the client is gone', async () => {
    content('one');
    const response = await open('/containerLogs/ns/p/c?follow=true', { token: 'admin' });
    response.destroy();
    await sleep(50);
    const before = asked.length;
    await sleep(500);
    expect(asked).toHaveLength(before);
  });
});

/** The name that the port shows. */
async function shownName(): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host: '127.0.0.1', port: port.port, ca: ca.certPem }, () => {
    const name: unknown = socket.getPeerCertificate().subject.CN;
    resolve(typeof name === 'string' ? name : undefined);
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}

describe('the port', () => {
  it('shows a renewed certificate without a restart, and the last whole one while files are half written', async () => {
    expect(await shownName()).toBe('first');
    writeFileSync(join(dir, 'tls.key'), '-----BEGIN');
    await sleep(150);
    expect(await shownName()).toBe('first');
    await writeServing('second');
    await until('the second', async () => (await shownName()) === 'second', 3000);
    await writeServing('first');
  });

  it('ends at once, followers included', async () => {
    content('one');
    const response = await open('/containerLogs/ns/p/c?follow=true', { token: 'admin' });
    response.on('error', () => undefined).resume();
    const startedAt = performance.now();
    await port.close();
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
