import type { Duplex } from 'node:stream';
import type { ByteTransport } from './transport.ts';

/** A socket that was taken over from HTTP. `head`: what was read of it already. */
export function socketTransport(socket: Duplex, head: Uint8Array): ByteTransport {
  return {
    chunks: chunksOf(socket, head),
    write: socketWriter(socket),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

async function* chunksOf(socket: Duplex, head: Uint8Array): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) if (chunk instanceof Uint8Array) yield chunk;
  } catch {
    // A connection that was cut has ended as well.
  }
}

/** Writes to a socket; resolves when there is room for more, or it is closed. Many may wait at once. */
export function socketWriter(socket: Duplex): ByteTransport['write'] {
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const one of waiting.splice(0)) one();
  };
  socket
    .on('error', () => undefined)
    .on('drain', wake)
    .on('close', wake);
  return async (bytes) => {
    if (socket.destroyed || socket.writableEnded || socket.write(bytes)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    await promise;
  };
}
