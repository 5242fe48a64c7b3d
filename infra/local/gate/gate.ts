/** A gate between the app's worker processes and the outside worlds: every single call of the app passes it, in order. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyPair } from '../pki.ts';
import { pass } from './call.ts';
import type { Answer, Judge, OutsideCall, Verdict, World } from './call.ts';
import { findCaller } from './caller.ts';
import { Upstream } from './upstream.ts';
import type { UpstreamOptions } from './upstream.ts';

/** One world: where it is, and on which side of the gate TLS is spoken. */
export interface DoorOptions {
  readonly upstream: UpstreamOptions;
  /** The gate's own certificate toward the app; without it plain http. */
  readonly tls?: KeyPair;
  /** 0 or absent: any free one. */
  readonly port?: number;
}

export interface GateOptions {
  readonly doors: Readonly<Record<World, DoorOptions>>;
  /** The processes of the app that live now: only one of them is ever killed. */
  readonly workers: () => Promise<readonly number[]>;
}

interface Door {
  readonly world: World;
  readonly upstream: Upstream;
  readonly server: Server;
  readonly port: number;
  readonly url: string;
}

/** Requests and answers are held whole: nothing of the app streams. */
export class Gate {
  /** Replace it to change what becomes of calls from now on; a call that is on its way keeps its verdict. */
  judge: Judge = () => pass;
  readonly #doors: readonly Door[];
  readonly #workers: GateOptions['workers'];
  #count = 0;

  constructor(doors: readonly Omit<Door, 'port' | 'url'>[], workers: GateOptions['workers']) {
    this.#workers = workers;
    this.#doors = doors.map((door) => {
      const port = portOf(door.server);
      const opened = { ...door, port, url: `${schemes.get(door.server) ?? 'http'}://127.0.0.1:${port}` };
      door.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        this.#serve(opened, request, response).catch(() => response.destroy());
      });
      return opened;
    });
  }

  /** Calls so far. */
  get count(): number {
    return this.#count;
  }

  /** Where the app is to call instead of the world itself, without a slash at the end. */
  url(world: World): string {
    const door = this.#doors.find((one) => one.world === world);
    if (door === undefined) throw new Error(`no door to ${world}`);
    return door.url;
  }

  /** Stops listening and cuts what is open. */
  async close(): Promise<void> {
    await Promise.all(
      this.#doors.map(async ({ server, upstream }) => {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        upstream.close();
        await closed;
      }),
    );
  }

  async #serve(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const callerPort = request.socket.remotePort ?? 0;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    this.#count += 1;
    const call: OutsideCall = {
      number: this.#count,
      world: door.world,
      method: request.method ?? 'GET',
      path: decoded(request.url ?? '/'),
      body: body.toString('utf8'),
    };
    const forward = (): Promise<Answer> =>
      door.upstream.forward({ method: call.method, target: request.url ?? '/', headers: request.headers, body });
    await this.#execute(this.judge(call), { forward, response, kill: () => this.#kill(callerPort, door.port) });
  }

  async #execute(verdict: Verdict, handling: Handling): Promise<void> {
    const { forward, response } = handling;
    switch (verdict.kind) {
      case 'pass':
        return write(response, await forward());
      case 'slow':
        await sleep(verdict.delayMs);
        return write(response, await forward());
      case 'refuse':
        return write(response, verdict.answer);
      case 'deny':
        await forward();
        return write(response, verdict.answer);
      case 'reset':
        if (verdict.moment === 'after') await forward();
        return void response.destroy();
      case 'garbage':
        return write(response, garbled(await forward()));
      case 'truncate':
        return cutShort(response, await forward());
      case 'kill':
        return execute(verdict, handling);
    }
  }

  async #kill(callerPort: number, ownPort: number): Promise<number | undefined> {
    const pid = findCaller(callerPort, ownPort, await this.#workers());
    if (pid === undefined) return undefined;
    process.kill(pid, 'SIGKILL');
    return pid;
  }
}

interface Handling {
  readonly forward: () => Promise<Answer>;
  readonly response: ServerResponse;
  readonly kill: () => Promise<number | undefined>;
}

/** The worker's death, or a call like any other when that is not to be. */
async function execute(
  { moment, ready, done }: Extract<Verdict, { kind: 'kill' }>,
  { forward, response, kill }: Handling,
): Promise<void> {
  const answer = moment === 'after' ? await forward() : undefined;
  const isReady = ready === undefined || (await ready());
  const pid = isReady ? await kill() : undefined;
  if (isReady) done(pid);
  if (pid !== undefined) return void response.destroy();
  return write(response, answer ?? (await forward()));
}

const schemes = new WeakMap<Server, 'http' | 'https'>();

/** Opens a door for each world on loopback. */
export async function startGate({ doors, workers }: GateOptions): Promise<Gate> {
  const worlds = ['kubernetes', 'arm', 'tables'] as const;
  const opened = await Promise.all(
    worlds.map(async (world) => {
      const { upstream, tls, port } = doors[world];
      const server = tls === undefined ? createHttpServer() : createHttpsServer({ cert: tls.certPem, key: tls.keyPem });
      schemes.set(server, tls === undefined ? 'http' : 'https');
      // Longer than any client keeps an idle connection, so that no request meets its end.
      server.keepAliveTimeout = 120_000;
      server.listen(port ?? 0, '127.0.0.1');
      await once(server, 'listening');
      return { world, upstream: new Upstream(upstream), server };
    }),
  );
  return new Gate(opened, workers);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}

function write(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, {
    ...headers,
    ...(status === 204 || status === 304 ? {} : { 'content-length': body.length }),
  });
  response.end(body);
}

const garbage = '<html><body>This is not what you asked for.</body></html>';

function garbled({ status, headers }: Answer): Answer {
  const { 'content-encoding': _encoding, ...rest } = headers;
  return { status: status === 204 ? 200 : status, headers: rest, body: Buffer.from(garbage) };
}

function cutShort(response: ServerResponse, { status, headers, body }: Answer): void {
  const length = Math.max(2, body.length);
  response.writeHead(status === 204 ? 200 : status, { ...headers, 'content-length': length });
  response.write(body.subarray(0, Math.floor(length / 2)), () => response.destroy());
  if (body.length < 2) response.destroy();
}
