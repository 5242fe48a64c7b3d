import type { WebSocket } from 'ws';
import { ByteQueue } from './byte-queue.ts';
import { formatMessage, piecesOf, readMessage } from './channel-message.ts';
import type { PortStream } from './port-connection.ts';
import type { Forward, PortSession } from './ports-over-spdy.ts';
import { fillQueues, sendMessage } from './web-socket.ts';
import type { ChannelProtocol } from './web-socket-protocols.ts';

const unreadBytes = 262_144;
const lingerMs = 2_000;

/**
 * Forwards one connection for each port that the client named, over two channels each: 2i for data, 2i+1 for errors. Both begin
 * with the port's number, low byte first. Ends when all connections have.
 */
export function portsOverWebSocket(
  socket: WebSocket,
  { protocol, ports }: { readonly protocol: ChannelProtocol; readonly ports: readonly number[] },
  forward: Forward,
): PortSession {
  const gone = new AbortController();
  const ended = Promise.withResolvers<void>();
  socket.on('close', () => {
    gone.abort();
    ended.resolve();
  });
  const send = async (channel: number, bytes: Uint8Array): Promise<void> => {
    for (const piece of piecesOf(bytes)) await sendMessage(socket, formatMessage(channel, piece, protocol));
  };
  const queues = ports.map(() => new ByteQueue(unreadBytes));
  fillQueues(socket, queues, (bytes) => {
    const message = readMessage(bytes, protocol);
    if (message.kind === 'broken') socket.close(1007, message.why);
    else if (message.kind === 'data' && message.channel % 2 === 0) queues[message.channel / 2]?.push(message.bytes);
  });
  const serve = async (port: number, index: number): Promise<void> => {
    const queue = queues[index];
    if (queue === undefined) return;
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    await send(2 * index, number);
    await send(2 * index + 1, number);
    const stream: PortStream = {
      read: () => queue.read(),
      write: (bytes) => send(2 * index, bytes),
      end: async () => queue.drop(),
      abandoned: gone.signal,
    };
    const fault = await forward(port, stream);
    if (fault !== undefined) await send(2 * index + 1, Buffer.from(fault));
  };
  const close = (): void => {
    socket.close(1000);
    setTimeout(() => socket.terminate(), lingerMs).unref();
  };
  const run = async (): Promise<void> => {
    await Promise.all(ports.map(serve));
    close();
  };
  void run();
  return { ended: ended.promise, close };
}
