import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { socketWriter } from './socket-transport.ts';

/** A client's end of one forwarded connection. */
export interface PortStream {
  /** Undefined: the client sends nothing any more. One reader at a time. */
  read(): Promise<Buffer | undefined>;
  /** Resolves when the client takes more. What it no longer wants is dropped. */
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing follows from the container. */
  end(): Promise<void>;
  /** Aborts when the client wants neither direction any more. */
  readonly abandoned: AbortSignal;
}

export interface PortTarget {
  readonly address: string;
  readonly port: number;
  readonly connectMs: number;
  /** Either side has said something. */
  readonly touch: () => void;
}

/**
 * Connects a client to a port of a pod, until both sides have ended. Answers why it failed, in the words of a dialler; undefined: it did
 * not. Never rejects.
 */
export async function forwardPort(target: PortTarget, stream: PortStream): Promise<string | undefined> {
  const socket = connect({
    host: target.address,
    port: target.port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  });
  const close = (): void => void socket.destroy();
  stream.abandoned.addEventListener('abort', close, { once: true });
  if (stream.abandoned.aborted) close();
  let fault: string | undefined;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve());
  socket.on('error', (error) => (fault ??= faultOf(error)));
  try {
    if (!(await isConnected(socket, target.connectMs))) return dialFault(target, fault);
    const sent = toContainer(socket, stream, target.touch);
    await toClient(socket, stream, target.touch);
    // A server that has said all may still listen; one that is gone does not, whatever the client has to say.
    await Promise.race([sent, closed]);
    return stream.abandoned.aborted ? undefined : fault;
  } finally {
    stream.abandoned.removeEventListener('abort', close);
    close();
  }
}

const dialFault = ({ address, port }: PortTarget, fault: string | undefined): string =>
  `dial tcp ${address.includes(':') ? `[${address}]` : address}:${port}: ${fault ?? 'i/o timeout'}`;

async function isConnected(socket: Socket, withinMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), withinMs);
  socket.once('connect', () => resolve(true)).once('close', () => resolve(false));
  const connected = await promise;
  clearTimeout(timer);
  return connected;
}

async function toContainer(socket: Socket, stream: PortStream, touch: () => void): Promise<void> {
  const write = socketWriter(socket);
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
    touch();
    await write(bytes);
  }
  socket.end();
}

async function toClient(socket: Socket, stream: PortStream, touch: () => void): Promise<void> {
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }))
      if (chunk instanceof Uint8Array) {
        touch();
        await stream.write(chunk);
      }
  } catch {
    // What broke the connection is known by its `error`.
  }
  await stream.end();
}

const faults: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ETIMEDOUT: 'connect: connection timed out',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'read: connection reset by peer',
  EPIPE: 'write: broken pipe',
};

function faultOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return faults[code] ?? code;
}
