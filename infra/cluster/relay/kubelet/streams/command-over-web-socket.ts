import type { WebSocket } from 'ws';
import { ByteQueue } from './byte-queue.ts';
import { formatMessage, piecesOf, readMessage } from './channel-message.ts';
import { commandStatus, plainStatus } from './command-status.ts';
import type { ByteSink, CommandStreams, Outcome, StreamOptions } from './command-streams.ts';
import { SizeQueue } from './size-queue.ts';
import { fillQueues, sendMessage } from './web-socket.ts';
import type { ChannelProtocol } from './web-socket-protocols.ts';

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
const unreadBytes = 262_144;
const lingerMs = 2_000;

/** An exec or attach over WebSocket channels. The first message, an empty one, says to old clients that they are connected. */
export function commandOverWebSocket(
  socket: WebSocket,
  protocol: ChannelProtocol,
  options: StreamOptions,
): CommandStreams {
  const gone = new AbortController();
  const stdin = new ByteQueue(unreadBytes);
  const sizes = new SizeQueue();
  const send = async (channel: number, bytes: Uint8Array): Promise<void> => {
    for (const piece of piecesOf(bytes)) await sendMessage(socket, formatMessage(channel, piece, protocol));
  };
  const sink = (channel: number, isWanted: boolean): ByteSink | undefined =>
    isWanted ? { write: (bytes) => send(channel, bytes) } : undefined;
  const abort = (): void => {
    sizes.end();
    gone.abort();
  };
  socket.on('close', abort);
  if (!options.stdin) stdin.drop();
  fillQueues(socket, [stdin], (bytes) => {
    const message = readMessage(bytes, protocol);
    if (message.kind === 'broken') socket.close(1007, message.why);
    else if (message.kind === 'close' && message.channel === channels.stdin) stdin.end();
    else if (message.kind === 'data' && message.channel === channels.stdin) stdin.push(message.bytes);
    else if (message.kind === 'data' && message.channel === channels.resize) sizes.push(message.bytes);
  });
  if (socket.readyState !== socket.OPEN) abort();
  const first = [options.stdout ? channels.stdout : [], options.stderr ? channels.stderr : [], channels.error].flat();
  void sendMessage(socket, formatMessage(first[0] ?? channels.error, Buffer.alloc(0), protocol));
  return {
    stdin: options.stdin ? stdin : undefined,
    stdout: sink(channels.stdout, options.stdout),
    stderr: sink(channels.stderr, options.stderr),
    nextSize: () => sizes.next(),
    gone: gone.signal,
    finish: async (outcome: Outcome) => {
      // What the client still sends is of no use, and must not keep its word of the end unread.
      stdin.drop();
      const text = protocol.hasStatus ? commandStatus(outcome) : plainStatus(outcome);
      await send(channels.error, Buffer.from(text));
      socket.close(1000);
      setTimeout(() => socket.terminate(), lingerMs).unref();
    },
    destroy: () => socket.terminate(),
  };
}
