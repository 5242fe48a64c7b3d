import type { RawData, WebSocket } from 'ws';
import { ByteQueue } from './byte-queue.ts';
import type { ByteTransport } from './transport.ts';

const unreadBytes = 262_144;

/** One message as bytes, whatever `ws` holds it in. */
const bytesOf = (data: RawData): Buffer => {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
};

/** Sends one message; resolves when the socket has taken it, or is closed. */
export function sendMessage(socket: WebSocket, bytes: Uint8Array | string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (socket.readyState !== socket.OPEN) resolve();
  else socket.send(bytes, { binary: typeof bytes !== 'string' }, () => resolve());
  return promise;
}

/** Has queues filled by a socket, which stops reading while one is full; they end with the socket. */
export function fillQueues(socket: WebSocket, queues: readonly ByteQueue[], take: (message: Buffer) => void): void {
  const waitForRoom = async (): Promise<void> => {
    socket.pause();
    for (const queue of queues) await queue.whenRoom();
    socket.resume();
  };
  const end = (): void => {
    for (const queue of queues) queue.end();
  };
  socket.on('message', (data) => {
    take(bytesOf(data));
    if (!socket.isPaused && queues.some((queue) => queue.isFull)) void waitForRoom();
  });
  socket.on('close', end).on('error', end);
  socket.resume();
}

/** The messages of a WebSocket as one stream of bytes: SPDY through a tunnel. */
export function webSocketTransport(socket: WebSocket): ByteTransport {
  const queue = new ByteQueue(unreadBytes);
  fillQueues(socket, [queue], (bytes) => queue.push(bytes));
  return {
    chunks: chunksOf(queue),
    write: (bytes) => sendMessage(socket, bytes),
    end: () => socket.close(1000),
    destroy: () => socket.terminate(),
  };
}

async function* chunksOf(queue: ByteQueue): AsyncGenerator<Uint8Array> {
  for (let bytes = await queue.read(); bytes !== undefined; bytes = await queue.read()) yield bytes;
}
