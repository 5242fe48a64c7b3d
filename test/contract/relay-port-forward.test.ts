/** `kubectl port-forward` as it arrives at a node's port, over its three wires, to real servers at the pod's address. */
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChannelClient } from '../relay/channel-client.ts';
import { until } from '../relay/fake-app.ts';
import { PortClient } from '../relay/port-client.ts';
import { SpdyClient } from '../relay/spdy-client.ts';
import { StreamRig } from '../relay/stream-rig.ts';
import { TunnelStream } from '../relay/tunnel-client.ts';

let rig: StreamRig;
const servers: Server[] = [];
const sockets = new Set<Socket>();

/** A server of the pod's; its port. */
async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const echo = (socket: Socket): void => void socket.pipe(socket);

async function closedPort(): Promise<number> {
  const port = await serve(() => undefined);
  await new Promise<void>((resolve) => {
    servers.pop()?.close(() => resolve());
  });
  return port;
}

beforeEach(async () => {
  rig = await StreamRig.open({ times: { creationMs: 300, connectMs: 500, lookMs: 100 } });
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  await rig.close();
});

async function overSpdy(): Promise<PortClient> {
  const client = await rig.spdy('/portForward/ns/p', ['portforward.k8s.io']);
  if (client instanceof SpdyClient) return new PortClient(client);
  throw new Error(client.body);
}

/** As kubectl from 1.31 on to a node that declares `ExtendWebSocketsToKubelet`. */
async function tunnelled(): Promise<PortClient> {
  const { promise, resolve, reject } = Promise.withResolvers<PortClient>();
  const key = randomBytes(16).toString('base64');
  const sent = request({
    host: '127.0.0.1',
    port: rig.port.port,
    path: '/portForward/ns/p',
    agent: false,
    rejectUnauthorized: false,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io',
      authorization: 'Bearer admin',
    },
  });
  sent.on('upgrade', ({ headers }, socket, head) => {
    expect(headers['sec-websocket-protocol']).toBe('SPDY/3.1+portforward.k8s.io');
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    expect(headers['sec-websocket-accept']).toBe(accept);
    resolve(new PortClient(new SpdyClient(new TunnelStream(socket, head), Buffer.alloc(0))));
  });
  sent.on('response', () => reject(new Error('no upgrade')));
  sent.on('error', reject).end();
  return promise;
}

describe.each([
  ['SPDY', overSpdy],
  ['SPDY within a WebSocket', tunnelled],
])('over %s', (_, open) => {
  it('several ports and connections at once, each with its own bytes, and its own end', async () => {
    const first = await serve(echo);
    const second = await serve((socket) => {
      socket.end('welcome\n');
      socket.resume();
    });
    const client = await open();
    const a = await client.connect(first);
    const b = await client.connect(first);
    const c = await client.connect(second);
    client.spdy.data(a.data, 'to a');
    client.spdy.data(b.data, 'to b', true);
    await until('all that is said', () => [a, b, c].every(({ data }) => client.spdy.text(data) !== ''));
    expect([a, b, c].map(({ data }) => client.spdy.text(data))).toEqual(['to a', 'to b', 'welcome\n']);
    await until('b has ended', () => client.spdy.stream(b.data).hasEnded && client.spdy.stream(b.error).hasEnded);
    expect(client.spdy.stream(a.data).hasEnded).toBe(false);
    client.spdy.data(a.data, ' again', true);
    await until('a has ended', () => client.spdy.stream(a.data).hasEnded);
    expect(client.spdy.text(a.data)).toBe('to a again');
    expect([a, b, c].map(({ error }) => client.spdy.text(error))).toEqual(['', '', '']);
    client.spdy.close();
    await until('nothing is left', () => rig.sessions.size === 0 && sockets.size === 0);
  });

  it('ten megabytes both ways, byte for byte', async () => {
    const port = await serve(echo);
    const client = await open();
    const { data } = await client.connect(port);
    const sent = randomBytes(10_000_000);
    for (let at = 0; at < sent.length; at += 32_000)
      client.spdy.data(data, sent.subarray(at, at + 32_000), at + 32_000 >= sent.length);
    await until('all of it', () => client.spdy.stream(data).hasEnded);
    expect(Buffer.concat(client.spdy.stream(data).chunks).equals(sent)).toBe(true);
    client.spdy.close();
  });

  it('a port that nobody listens on: the words of a kubelet on the error stream, and the session goes on', async () => {
    const port = await closedPort();
    const alive = await serve(echo);
    const client = await open();
    const refused = await client.connect(port);
    await until('the reason', () => client.spdy.stream(refused.error).hasEnded);
    expect(client.spdy.text(refused.error)).toBe(
      `error forwarding port ${port} to pod p_ns, uid u1: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    expect(client.spdy.stream(refused.data).isReset).toBe(true);
    const { data } = await client.connect(alive);
    client.spdy.data(data, 'still here');
    await until('the next works', () => client.spdy.text(data) === 'still here');
    client.spdy.close();
  });

  it('a stream without its partner is reset after a while; one that names no port, or another than its partner, at once', async () => {
    const port = await serve(echo);
    const client = await open();
    const lonely = await client.open({ streamtype: 'data', port: String(port), requestid: '7' });
    const wrong = [
      await client.open({ streamtype: 'data', requestid: '8' }),
      await client.open({ streamtype: 'data', port: '0', requestid: '9' }),
      await client.open({ streamtype: 'data', port: '65536', requestid: '10' }),
      await client.open({ streamtype: 'stdin', port: String(port), requestid: '11' }),
      await client.open({ streamtype: 'error', port: '1', requestid: '7' }),
      await client.open({ streamtype: 'data', port: String(port), requestid: '7' }),
    ];
    await until('these are refused', () => wrong.every((id) => client.spdy.stream(id).isReset));
    await until('it is reset', () => client.spdy.stream(lonely).isReset);
    expect(sockets.size).toBe(0);
    client.spdy.close();
  });

  it('a connection that the client resets is let go; a server that breaks it is told of', async () => {
    const silent = await serve((socket) => socket.resume().on('end', () => socket.end()));
    const breaking = await serve((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const client = await open();
    const kept = await client.connect(silent);
    await until('it is there', () => sockets.size === 1);
    client.spdy.send(Buffer.from(`8003000300000008${kept.data.toString(16).padStart(8, '0')}00000005`, 'hex'));
    await until('it is gone', () => sockets.size === 0);
    const broken = await client.connect(breaking);
    client.spdy.data(broken.data, 'x');
    await until('the reason', () => client.spdy.stream(broken.error).hasEnded);
    expect(client.spdy.text(broken.error)).toMatch(/: read: connection reset by peer$/);
    client.spdy.close();
  });

  it('a pod that is gone ends the session', async () => {
    const client = await open();
    const { data } = await client.connect(await serve(echo));
    client.spdy.data(data, 'x');
    await until('it works', () => client.spdy.text(data) === 'x');
    rig.set({ uid: 'u2' });
    await until('the end', () => client.spdy.hasGoneAway);
    expect(client.spdy.text(data)).toBe('x');
    await until('nothing is left', () => rig.sessions.size === 0 && sockets.size === 0);
  });
});

describe('over WebSocket channels', () => {
  it.each(['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', ''])(
    '%j: two channels a port, both beginning with its number',
    async (protocol) => {
      const first = await serve(echo);
      const refused = await closedPort();
      const socket = await rig.webSocket(
        `/portForward/ns/p/u1?port=${first},${refused}`,
        protocol === '' ? [] : [protocol],
      );
      if (!(socket instanceof WebSocket)) throw new Error(socket.body);
      const client = new ChannelClient(socket);
      await until('both have their number', () => [0, 1, 2, 3].every((channel) => client.text(channel).length >= 2));
      const number = (port: number): string => String.fromCharCode(port & 0xff, port >> 8);
      expect([client.text(0), client.text(1), client.text(2)]).toEqual([number(first), number(first), number(refused)]);
      client.send(0, 'hello');
      await until('the echo', () => client.text(0).endsWith('hello'));
      await until('the reason', () => client.text(3).length > 2);
      expect(client.text(3).slice(2)).toBe(
        `error forwarding port ${refused} to pod p_ns, uid u1: dial tcp 127.0.0.1:${refused}: connect: connection refused`,
      );
      socket.terminate();
      await until('nothing is left', () => rig.sessions.size === 0 && sockets.size === 0);
    },
  );

  it('without ports, or with none that are: 400', async () => {
    expect(await rig.webSocket('/portForward/ns/p', ['v4.channel.k8s.io'])).toMatchObject({
      status: 400,
      body: 'query parameter "port" is required\n',
    });
  });
});

describe('a pod that can not be reached', () => {
  it.each([
    [{ podIP: undefined }, 501, /no address|this pod has neither: its container group is in no subnet/],
    [{ phase: 'Pending' }, 400, /^pod not found \("p_ns"\): it is Pending/],
  ])('%j', async (changes, status, body) => {
    rig.set(changes);
    const refused = await rig.spdy('/portForward/ns/p', ['portforward.k8s.io']);
    if (refused instanceof SpdyClient) throw new Error('it was not refused');
    expect(refused.status).toBe(status);
    expect(refused.body).toMatch(body);
  });

  it('a port that does not answer is given up', async () => {
    // An address that is no machine's (TEST-NET-1) answers nothing, or no way there.
    rig.set({ podIP: '192.0.2.1' });
    const client = await overSpdy();
    const { error } = await client.connect(80);
    await until('the reason', () => client.spdy.stream(error).hasEnded);
    expect(client.spdy.text(error)).toMatch(
      /^error forwarding port 80 to pod p_ns, uid u1: dial tcp 192\.0\.2\.1:80: /,
    );
    client.spdy.close();
  });
});

it('a plain connection to the port is no port-forward', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(rig.port.port, '127.0.0.1', () => socket.end('GET / HTTP/1.1\r\n\r\n'));
  socket
    .on('close', () => resolve())
    .on('error', () => undefined)
    .resume();
  await promise;
  expect(rig.sessions.size).toBe(0);
});
