/**
 * What a caller sees of a Functions host: one table, for the stand-in, and for the real host where FUNCTIONS_HOST names the
 * folder of one. What the stand-in answers here is what the real one was seen to answer.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startChild } from '../../infra/local/child.ts';
import type { Child } from '../../infra/local/child.ts';
import { allocatePort } from '../../infra/local/ports.ts';
import { blobSas } from '../../infra/local/storage-sas.ts';
import { findRealHost, startRealHost } from '../../infra/local/up/real-host.ts';
import { packFixture } from '../local/host/fixture-package.ts';

const root = mkdtempSync(join(tmpdir(), 'functions-host-table-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Trial {
  readonly child: Child<unknown>;
  readonly url: string;
  masterKey(): Promise<string>;
}

const settingsIn = (dir: string): Record<string, string> => ({
  MARKS_DIR: dir,
  BEAT_SCHEDULE: '* * * * * *',
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000',
  AzureWebJobsDisableHomepage: 'true',
});

/** Timers and HTTP in one process, as an instance that serves all groups. */
async function standIn(dir: string): Promise<Trial> {
  const settingsFile = join(dir, 'settings.json');
  writeFileSync(settingsFile, JSON.stringify({ Values: settingsIn(dir) }));
  const main = join(import.meta.dirname, '..', '..', 'infra', 'local', 'host', 'main.ts');
  const flags = { app: packFixture(join(dir, 'app')), settings: settingsFile, logs: join(dir, 'logs'), port: '0' };
  const child = await startChild({
    name: 'stand-in',
    command: process.execPath,
    args: [main, '--single-process', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])],
    logFile: join(dir, 'stand-in.log'),
    stdin: 'pipe',
    stopSignal: 'SIGINT',
    ready: (line) =>
      line.startsWith('{"ready"') ? (JSON.parse(line) as { url: string; keysFile: string }) : undefined,
    readyTimeoutMs: 60_000,
  });
  const { url, keysFile } = child.value;
  const masterKey = async (): Promise<string> =>
    (JSON.parse(readFileSync(keysFile, 'utf8')) as { masterKey: string }).masterKey;
  return { child, url, masterKey };
}

async function realHost(dir: string, folder: string): Promise<Trial> {
  const blobs = inject('blobEndpoint');
  const child = await startRealHost({
    host: findRealHost(folder),
    dir,
    name: 'functions',
    appFolder: packFixture(join(dir, 'app')),
    port: await allocatePort(),
    settings: {
      ...settingsIn(dir),
      AzureWebJobsStorage: `${inject('tableConnectionString')}BlobEndpoint=${blobs};`,
      AzureFunctionsWebHost__hostid: 'table',
    },
    probe: '/api/nothing',
  });
  const { url } = child.value;
  const masterKey = async (): Promise<string> => {
    // The first that asks with a key has them made.
    await fetch(`${url}/admin/host/status`, { headers: { 'x-functions-key': 'none' } });
    const sas = blobSas({ resourceTypes: 'o', permissions: 'r', expiresAt: new Date(Date.now() + 600_000) });
    const text = await (await fetch(`${blobs}/azure-webjobs-secrets/table/host.json?${sas}`)).text();
    return (JSON.parse(text.replace(/^\uFEFF/, '')) as { masterKey: { value: string } }).masterKey.value;
  };
  return { child, url, masterKey };
}

interface Seen {
  readonly status: number;
  readonly framing: string;
  readonly body: string;
}

/** Bytes as they are: fetch would put a path or a header right. */
async function send(url: string, text: string): Promise<Seen> {
  const answer = await new Promise<string>((resolve) => {
    let seen = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (part) => (seen += String(part)));
    socket.on('error', () => undefined).on('close', () => resolve(seen));
    socket.setTimeout(20_000, () => socket.destroy());
  });
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const framing = /^transfer-encoding: chunked/im.test(head)
    ? 'chunks'
    : (/^content-length: (\d+)/im.exec(head)?.[1] ?? 'none');
  return { status: Number(head.slice(9, 12)), framing, body: rest.join('\r\n\r\n') };
}

const request = (target: string, { method = 'GET', headers = '', body = '' } = {}): string =>
  `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers}\r\n${body}`;
const post = (target: string, bytes: number, sent = bytes): string =>
  request(target, { method: 'POST', headers: `content-length: ${bytes}\r\n`, body: 'x'.repeat(sent) });
const chunked = (text: string): string =>
  request('/api/echo/x', {
    method: 'POST',
    headers: 'transfer-encoding: chunked\r\n',
    body: `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
  });

/** The sentence, what is sent, the status, what frames the answer: `chunks`, a length, or nothing. */
type Row = readonly [sentence: string, text: string, status: number, framing: string];

const rows: readonly Row[] = [
  ['the home page, which is off', request('/'), 204, 'none'],
  ['a handler that returns nothing', request('/api/nothing'), 204, 'none'],
  ['an answer without a body', request('/api/late'), 200, '0'],
  ['an answer with a body', request('/api/echo/x'), 201, 'chunks'],
  ['a handler that throws', request('/api/fails'), 500, '0'],
  ['an unknown path', request('/api/unknown'), 404, '0'],
  ['a wrong method', request('/api/bytes'), 404, '0'],
  ['no key', request('/api/guarded'), 401, '0'],
  ['no key and a body that is too large', post('/api/guarded', 2000, 1), 401, '0'],
  ['another case', request('/API/NOTHING'), 204, 'none'],
  ['a slash at the end', request('/api/nothing/'), 204, 'none'],
  ['two slashes at the end', request('/api/nothing//'), 404, '0'],
  ['two slashes within', request('/api//nothing'), 404, '0'],
  ['two slashes in a value', request('/api/echo//x'), 404, '0'],
  ['two slashes at the start', request('//api/nothing'), 404, '0'],
  ['a whole URL', request('http://localhost/api/nothing'), 204, 'none'],
  ['dots that leave a value empty', request('/api/echo/%2e%2e'), 404, '0'],
  ['dots that go up', request('/api/echo/%2e%2e/nothing'), 204, 'none'],
  ['plain dots that go up', request('/api/echo/x/../../nothing'), 204, 'none'],
  ['one dot', request('/api/echo/%2e'), 404, '0'],
  ['an escaped NUL', request('/api/echo/a%00b'), 400, '0'],
  ['what extensions would answer', request('/runtime/webhooks/x'), 401, '0'],
  ['what extensions would not', request('/runtime/webhooks'), 404, '0'],
  ['nothing of the administrator', request('/admin'), 404, '0'],
  ['an unknown path of the administrator', request('/admin/x'), 404, '0'],
  ['the status without a key', request('/admin/host/status'), 401, '0'],
  [
    'a drain without a key',
    request('/admin/host/drain', { method: 'POST', headers: 'content-length: 0\r\n' }),
    401,
    '0',
  ],
  ['the ping', request('/admin/host/ping'), 200, '0'],
  ['a URL of 8 kB', request(`/api/nothing?q=${'x'.repeat(8100)}`), 204, 'none'],
  ['a URL of more', request(`/api/nothing?q=${'x'.repeat(8300)}`), 414, '0'],
  ['a URL of 17 kB', request(`/api/nothing?q=${'x'.repeat(17_000)}`), 414, '0'],
  ['headers of 20 kB', request('/api/nothing', { headers: `x-a: ${'y'.repeat(20_000)}\r\n` }), 204, 'none'],
  ['headers of 40 kB', request('/api/nothing', { headers: `x-a: ${'y'.repeat(40_000)}\r\n` }), 431, '0'],
  ['a body at the limit', post('/api/bytes', 1000), 200, 'chunks'],
  ['a body over the limit', post('/api/bytes', 1001), 500, '0'],
  ['a body that only claims to be large', post('/api/bytes', 200_000_000, 1), 500, '0'],
  ['the same on a path that is none', post('/api/unknown', 200_000_000, 1), 404, '0'],
  ['the same with GET', request('/api/who', { headers: 'content-length: 200000000\r\n' }), 500, '0'],
];

/** What the handler gets to see of what is sent. */
interface Handed {
  readonly it: string;
  readonly text: string;
  readonly kind: string;
  readonly url: string;
  readonly body?: string;
}

const handed: readonly Handed[] = [
  { it: 'a blank', text: request('/api/echo/a%20b'), kind: 'a b', url: '/api/echo/a%20b' },
  { it: 'an escaped slash', text: request('/api/echo/a%2Fb'), kind: 'a%2Fb', url: '/api/echo/a%2Fb' },
  { it: 'an escape that is none', text: request('/api/echo/%zz'), kind: '%zz', url: '/api/echo/%25zz' },
  { it: 'half an escape', text: request('/api/echo/%2'), kind: '%2', url: '/api/echo/%252' },
  { it: 'a byte that is no UTF-8', text: request('/api/echo/%ff'), kind: '%ff', url: '/api/echo/%ff' },
  { it: 'an escaped percent sign', text: request('/api/echo/a%2525'), kind: 'a%25', url: '/api/echo/a%25' },
  { it: 'an escaped letter of the route', text: request('/api/%65cho/a'), kind: 'a', url: '/api/echo/a' },
  { it: 'a quote', text: request(`/api/echo/a'b"c`), kind: `a'b"c`, url: `/api/echo/a'b%22c` },
  { it: 'a body', text: post('/api/echo/x', 5), kind: 'x', url: '/api/echo/x', body: 'xxxxx' },
  { it: 'a body in chunks', text: chunked('unseen'), kind: 'x', url: '/api/echo/x' },
  { it: 'a body in chunks over the limit', text: chunked('z'.repeat(4000)), kind: 'x', url: '/api/echo/x' },
];

const folder = process.env['FUNCTIONS_HOST'];
const hosts = [
  { name: 'the stand-in', start: standIn },
  ...(folder === undefined ? [] : [{ name: 'the real host', start: (dir: string) => realHost(dir, folder) }]),
];

describe.each(hosts)('$name', ({ start }) => {
  let dir = '';
  let trial: Trial;
  const beats = (): number => {
    try {
      return readFileSync(join(dir, 'beats.txt'), 'utf8').split('\n').length;
    } catch {
      return 0;
    }
  };
  beforeAll(async () => {
    dir = mkdtempSync(join(root, 'host-'));
    trial = await start(dir);
  }, 180_000);
  afterAll(() => trial.child.stop(10_000));

  it.each(rows)('%s', async (_sentence, text, status, framing) => {
    const seen = await send(trial.url, text);
    expect([seen.status, seen.framing]).toEqual([status, framing]);
  });

  it.each(handed)('hands over $it', async ({ text, kind, url, body = '' }) => {
    const seen = await send(trial.url, text);
    expect(seen.status).toBe(201);
    // Between the chunk's length and the last chunk.
    const json: unknown = JSON.parse(seen.body.split('\r\n')[1] ?? '');
    expect(json).toMatchObject({ params: { kind }, url, text: body });
  });

  it('answers 500 when the worker dies with the request in hand, and serves again', async () => {
    const { pid } = (await (await fetch(`${trial.url}/api/who`)).json()) as { pid: number };
    const waiting = send(trial.url, request('/api/wait?ms=20000'));
    await sleep(500);
    process.kill(pid, 'SIGKILL');
    expect((await waiting).status).toBe(500);
    await expect
      .poll(async () => (await fetch(`${trial.url}/api/nothing`)).status, { timeout: 20_000, interval: 200 })
      .toBe(204);
  });

  it('drained by the master key it runs no timer any more, and serves on', { timeout: 180_000 }, async () => {
    const key = await trial.masterKey();
    const before = beats();
    await expect.poll(beats, { timeout: 150_000 }).toBeGreaterThan(before);
    const answer = await fetch(`${trial.url}/admin/host/drain`, {
      method: 'POST',
      headers: { 'x-functions-key': key },
    });
    expect(answer.status).toBe(202);
    await sleep(2500);
    const drained = beats();
    await sleep(3000);
    expect(beats()).toBe(drained);
    expect((await send(trial.url, request('/api/nothing'))).status).toBe(204);
  });

  it('ignores SIGTERM, and on SIGINT ends after what it has in hand', async () => {
    process.kill(trial.child.pid, 'SIGTERM');
    await sleep(1000);
    expect((await send(trial.url, request('/api/nothing'))).status).toBe(204);
    const waiting = send(trial.url, request('/api/wait?ms=1500'));
    await sleep(300);
    process.kill(trial.child.pid, 'SIGINT');
    expect((await waiting).status).toBe(200);
    expect((await trial.child.exited).signal).toBeNull();
  });
});
