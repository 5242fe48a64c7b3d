import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Mutator } from '../mutator.ts';
import type { WireAnswer } from './arm-wire.ts';

/** How an answer is sent; all but `plain` break a rule of HTTP. */
type Framing = 'plain' | 'short' | 'long' | 'reset' | 'chunks' | 'gzip' | 'half gzip' | 'no gzip' | 'nonsense';

export interface FramedAnswer extends WireAnswer {
  readonly framing: Framing;
}

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
}

/** An API server on loopback that says what it is asked to, to the byte. */
export interface WireServer {
  readonly url: string;
  /** What it answers from now on. */
  answer: (request: Asked) => FramedAnswer | Promise<FramedAnswer>;
  close(): Promise<void>;
}

export async function openWireServer(): Promise<WireServer> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const asked = {
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'http://server'),
        body: Buffer.concat(chunks).toString('utf8'),
      };
      void answer(asked, request, response);
    });
  });
  const answer = async (asked: Asked, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reported = await wire.answer(asked);
    if (reported.framing === 'plain' && isPlain(reported)) {
      response.writeHead(reported.status, { ...reported.headers });
      response.end(reported.body);
    } else request.socket.end(rawAnswer(reported));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire: WireServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: () => ({ status: 200, headers: {}, body: Buffer.from(''), framing: 'plain' }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return wire;
}

const isPlain = ({ status }: WireAnswer): boolean => status >= 200 && status < 1000;

/** The bytes of an answer whose frame is wrong. */
function rawAnswer({ status, headers, body, framing }: FramedAnswer): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = (more: string): Buffer => Buffer.from(`HTTP/1.1 ${status} x\r\n${lines.join('')}${more}\r\n`, 'latin1');
  const length = (bytes: number): string => `content-length: ${bytes}\r\n`;
  switch (framing) {
    case 'plain':
      return Buffer.concat([head(length(body.length)), body]);
    case 'short':
      return Buffer.concat([head(length(body.length + 100)), body]);
    case 'long':
      return Buffer.concat([head(length(Math.max(0, body.length - 5))), body]);
    case 'reset':
      return body.subarray(0, 0);
    case 'chunks':
      return Buffer.concat([
        head('transfer-encoding: chunked\r\n'),
        Buffer.from('zz\r\n'),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]);
    case 'gzip': {
      const packed = gzipSync(body);
      return Buffer.concat([head(`content-encoding: gzip\r\n${length(packed.length)}`), packed]);
    }
    case 'half gzip': {
      const packed = gzipSync(body).subarray(0, 30);
      return Buffer.concat([head(`content-encoding: gzip\r\n${length(packed.length)}`), packed]);
    }
    case 'no gzip':
      return Buffer.concat([head(`content-encoding: gzip\r\n${length(body.length)}`), body]);
    case 'nonsense':
      return Buffer.concat([Buffer.from('SMTP 220 ready\r\n'), body]);
  }
}

const framings: readonly Framing[] = ['short', 'long', 'reset', 'chunks', 'gzip', 'half gzip', 'no gzip', 'nonsense'];
const statuses = [
  101, 200, 201, 202, 204, 206, 301, 304, 400, 401, 403, 404, 405, 408, 409, 410, 412, 415, 422, 429, 500, 503, 504,
  599,
];
const headerValues: Readonly<Record<string, readonly string[]>> = {
  'retry-after': ['0', '1', '-5', '1e308', '9'.repeat(400), 'Infinity', 'soon', 'Fri, 31 Dec 9999 23:59:59 GMT'],
  date: [
    'x',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    '2026-11-23',
    'Mon, 99 Foo 2026 99:99:99 GMT',
    'Mon, 23 Nov 2026 12:00:00 GMT',
  ],
  'content-type': ['text/html', 'application/vnd.kubernetes.protobuf', ''],
  warning: ['299 - "x"'],
  connection: ['close'],
};

/** Status, headers, body and frame, each now and then. */
export function mutateFramed(answer: { status: number; body: unknown }, mutator: Mutator): FramedAnswer {
  let { status } = answer;
  let framing: Framing = 'plain';
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const body = mutator.json('body', answer.body);
  mutator.step((dice) => {
    if (dice.chance(0.3)) status = dice.pick(statuses);
    return `status:${status}`;
  });
  mutator.step((dice) => {
    const names = Object.keys(headerValues).filter(() => dice.chance(0.1));
    for (const name of names) headers[name] = dice.pick(headerValues[name] ?? ['']);
    return `headers:${names.join('+')}`;
  });
  mutator.step((dice) => {
    if (dice.chance(0.1)) framing = dice.pick(framings);
    return `frame:${framing}`;
  });
  return { status, headers, body, framing };
}
