/** A way from the containers' bridge to what listens on loopback only: the API server, the app. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A running forwarder. */
export interface Forwarder {
  readonly address: string;
  readonly port: number;
  /** Ends it and every connection through it. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Forwards TCP connections from `listenAddress` (the bridge's gateway) to `targetPort` on 127.0.0.1, bytes unseen: TLS
 * is the API server's, whose certificate has to name `listenAddress`. `port` 0 takes any. A connection to a target that
 * does not listen, or is not known yet, is closed; the forwarder goes on.
 */
export async function startForwarder(options: {
  readonly listenAddress: string;
  readonly port: number;
  readonly targetPort: number | (() => number | undefined);
}): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const port = typeof options.targetPort === 'number' ? options.targetPort : options.targetPort();
    if (port === undefined) return void near.destroy();
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    track(near);
    track(far);
    join(near, far);
    join(far, near);
  });
  server.listen({ host: options.listenAddress, port: options.port, exclusive: true });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port');
  return {
    address: bound.address,
    port: bound.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** An end goes on as an end, so that a half-closed connection works; a failure tears down both sides. */
function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.once('close', () => {
    if (from.errored !== null || !from.readableEnded) to.destroy();
  });
}
