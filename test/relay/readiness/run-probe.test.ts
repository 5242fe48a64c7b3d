import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { Http2Server } from 'node:http2';
import { createServer as createTcp } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { healthRequest, healthStatus } from '../../../infra/cluster/relay/readiness/grpc-probe.ts';
import { runProbe } from '../../../infra/cluster/relay/readiness/run-probe.ts';
import type { ProbeHandler } from '../../../shared/core/kubernetes/pod.ts';

const address = '127.0.0.1';
const seen: { url: string | undefined; headers: Record<string, string | string[] | undefined> }[] = [];
let http: Server;
let grpc: Http2Server;
let silent: ReturnType<typeof createTcp>;
let upgrading: ReturnType<typeof createTcp>;

const portOf = (server: { address: () => AddressInfo | string | null }): number => {
  const at = server.address();
  return typeof at === 'object' && at !== null ? at.port : 0;
};
const listening = (server: { listen: (port: number, host: string, done: () => void) => unknown }) =>
  new Promise<void>((resolve) => void server.listen(0, address, resolve));

beforeAll(async () => {
  http = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    const [, status = '200'] = /^\/(\d+)/.exec(request.url ?? '') ?? [];
    response.writeHead(Number(status), status === '302' ? { location: 'http://192.0.2.1/' } : {}).end('x');
  });
  grpc = createHttp2();
  grpc.on('stream', (stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const service = Buffer.concat(chunks).subarray(7).toString();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      if (service === 'endless') {
        stream.write(Buffer.alloc(10_000));
        return;
      }
      if (service === 'no status') {
        stream.removeAllListeners('wantTrailers').close();
        return;
      }
      const isKnown = service === '' || service === 'down';
      stream.on('wantTrailers', () =>
        stream.sendTrailers({
          'grpc-status': isKnown ? '0' : service === 'old' ? '12' : '5',
          'grpc-message': 'unknown',
        }),
      );
      if (isKnown) stream.write(Buffer.from([0, 0, 0, 0, 2, 8, service === '' ? 1 : 2]));
      stream.end();
    });
  });
  silent = createTcp(() => undefined);
  upgrading = createTcp((socket) =>
    socket.once('data', () =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    ),
  );
  await Promise.all([http, grpc, silent, upgrading].map((server) => listening(server)));
});

afterAll(() => {
  http.close();
  http.closeAllConnections();
  grpc.close();
  silent.close();
  upgrading.close();
});

function probe(handler: ProbeHandler, port: number, timeoutSeconds = 1): Promise<string | undefined> {
  const times = { initialDelaySeconds: 0, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  return runProbe({
    container: 'c',
    startedAt: 's',
    ready: false,
    address,
    port,
    probe: { handler, timeoutSeconds, ...times },
  });
}

const get = (path: string, headers: { name: string; value: string }[] = []): ProbeHandler => ({
  kind: 'httpGet',
  path,
  port: 0,
  scheme: 'HTTP',
  headers,
});
/** One on which nobody listens. */
const closed = 1;

describe('a probe by httpGet', () => {
  it.each([
    ['200', undefined],
    ['204', undefined],
    ['302', undefined],
    ['399', undefined],
    ['404', 'HTTP probe failed with statuscode: 404'],
    ['500', 'HTTP probe failed with statuscode: 500'],
  ])('takes %s: %s', async (status, why) => expect(await probe(get(`/${status}`), portOf(http))).toBe(why));

  it('sends the headers of the spec over its own', async () => {
    await probe(
      get('/a?b=c d', [
        { name: 'Host', value: 'shop' },
        { name: 'X-A', value: '1' },
        { name: 'bad name', value: 'x' },
      ]),
      portOf(http),
    );
    expect(seen.at(-1)).toMatchObject({
      url: '/a?b=c%20d',
      headers: { host: 'shop', 'x-a': '1', 'user-agent': 'kube-probe/serverless-kubelet' },
    });
  });

  it('sends what node:http would not: UTF-8, and blanks for control characters', async () => {
    await probe(get('/', [{ name: 'X-A', value: 'é→\u0001\r\n\tz' }]), portOf(http));
    const sent = seen.at(-1)?.headers['x-a'];
    expect(Buffer.from(String(sent), 'latin1').toString()).toBe('é→   \tz');
  });

  it('takes a switch of protocols for a failure, and ends', async () =>
    expect(await probe(get('/'), portOf(upgrading))).toBe('HTTP probe failed with statuscode: 101'));

  it('fails, and throws nothing, where a request can not be made', async () => {
    expect(await probe(get('/', [{ name: 'Trailer', value: 'x' }]), portOf(http))).toMatch(/^Trailers are invalid/);
    expect(await probe(get('/\uD800'), portOf(http))).toBe('URI malformed');
    expect(await probe({ kind: 'tcpSocket', port: 0 }, 70_000)).toMatch(/^Port should be/);
  });

  it('takes a timeout that is longer than any timer', async () => {
    expect(await probe(get('/200'), portOf(http), 2_147_483_647)).toBeUndefined();
    expect(await probe({ kind: 'grpc', port: 0, service: '' }, portOf(grpc), 2_147_483_647)).toBeUndefined();
  });

  it('says in a kubelet’s words why it got no answer', async () => {
    expect(await probe(get('/x'), closed)).toBe(
      'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    );
    expect(await probe(get('/'), portOf(silent), 0.2)).toMatch(/^Get "http:.*: context deadline exceeded$/);
  });
});

describe('a probe by tcpSocket', () => {
  it('takes a connection', async () =>
    expect(await probe({ kind: 'tcpSocket', port: 0 }, portOf(silent))).toBeUndefined());
  it('and nothing else', async () =>
    expect(await probe({ kind: 'tcpSocket', port: 0 }, closed)).toBe(
      'dial tcp 127.0.0.1:1: connect: connection refused',
    ));
});

describe('a probe by grpc', () => {
  const health = (service: string, port = portOf(grpc)) => probe({ kind: 'grpc', port, service }, port);
  it('takes SERVING', async () => expect(await health('')).toBeUndefined());
  it('says what else was answered', async () =>
    expect(await health('down')).toBe('service unhealthy (responded with "NOT_SERVING")'));
  it('says why there is no answer', async () => {
    expect(await health('other')).toBe('error: health rpc probe failed: rpc error: code = NotFound desc = unknown');
    expect(await health('old')).toBe(
      'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown',
    );
    expect(await health('no status')).toBe(
      'error: health rpc probe failed: rpc error: code = Unavailable desc = no status of gRPC was answered',
    );
    expect(await health('endless')).toBe(
      'error: health rpc probe failed: rpc error: code = ResourceExhausted desc = too long',
    );
    expect(await health('', closed)).toBe(
      'timeout: failed to connect service "127.0.0.1:1" within 1s: dial tcp 127.0.0.1:1: connect: connection refused',
    );
    expect(await health('', portOf(http))).toMatch(/^timeout: failed to connect service/);
  });

  it('asks for a service of any name', () =>
    expect([...healthRequest('s'.repeat(200))].slice(0, 8)).toEqual([0, 0, 0, 0, 203, 0x0a, 200, 1]));
  it.each<[readonly number[], string | undefined]>([
    [[0, 0, 0, 0, 0], 'UNKNOWN'],
    [[0, 0, 0, 0, 2, 8, 1], 'SERVING'],
    [[1, 0, 0, 0, 2, 8, 1], undefined],
    [[0, 0], undefined],
  ])('reads %j as %s', (body, status) => expect(healthStatus(Uint8Array.from(body))).toBe(status));
});

it('a probe that the relay can not make fails', async () =>
  expect(await probe({ kind: 'exec', command: [] }, closed)).toBe('the relay can not make this probe'));
