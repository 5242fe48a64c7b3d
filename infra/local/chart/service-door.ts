/** Does what a kube-proxy and a load balancer would: plain TCP from one address to where the ready ones are. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { KeyPair } from '../pki.ts';

export interface Door {
  /** Port of each server, in the order in which they were asked for. */
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Each connection to one of the ports goes to the same port of one of the targets, in turns; without any it is reset. */
export async function startServiceDoor(options: {
  readonly address: string;
  readonly ports: readonly number[];
  readonly targets: () => readonly string[];
}): Promise<Door> {
  let turn = 0;
  return open(
    options.ports.map((port) => {
      const accept = (near: Socket): void => {
        const targets = options.targets();
        const host = targets[turn++ % Math.max(targets.length, 1)];
        if (host === undefined) near.resetAndDestroy();
        else join(near, connect({ host, port, noDelay: true, allowHalfOpen: true }));
      };
      return { server: createServer({ noDelay: true, allowHalfOpen: true }, accept), address: options.address, port };
    }),
  );
}

/** TLS at the outside, plain TCP to a port of this machine behind it: what Azure's front end does for an app. */
export function startTlsDoor(options: {
  readonly address: string;
  readonly pair: KeyPair;
  readonly targetPort: number;
}): Promise<Door> {
  const { certPem: cert, keyPem: key } = options.pair;
  const server = createTlsServer({ cert, key }, (near) =>
    join(near, connect({ host: '127.0.0.1', port: options.targetPort, noDelay: true })),
  );
  return open([{ server, address: options.address, port: 0 }]);
}

function join(near: Socket, far: Socket): void {
  near.pipe(far);
  far.pipe(near);
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy());
    one.once('close', () => {
      if (one.errored !== null || !one.readableEnded) other.destroy();
    });
  }
}

async function open(
  wanted: readonly { readonly server: Server; readonly address: string; readonly port: number }[],
): Promise<Door> {
  const sockets = new Set<Socket>();
  const ports: number[] = [];
  for (const { server, address, port } of wanted) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    // A peer that breaks off the handshake.
    server.on('tlsClientError', () => undefined);
    server.listen(port, address);
    await once(server, 'listening');
    const bound = server.address();
    ports.push(typeof bound === 'object' && bound !== null ? bound.port : port);
  }
  return {
    ports,
    close: async () => {
      const closed = wanted.map(({ server }) => new Promise((resolve) => void server.close(resolve)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}
