import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { commandStatus, plainStatus } from './command-status.ts';
import type { CommandStreams, Outcome, StreamOptions } from './command-streams.ts';
import { SizeQueue } from './size-queue.ts';
import type { ByteTransport } from './transport.ts';

/** How an exec or attach is spoken over SPDY. */
export interface SpdyProtocol {
  readonly name: string;
  readonly hasStatus: boolean;
  readonly hasResize: boolean;
}

/** The fifth is the fourth: over SPDY a stream could always be closed alone. */
export const spdyProtocols: readonly SpdyProtocol[] = [
  { name: 'v5.channel.k8s.io', hasStatus: true, hasResize: true },
  { name: 'v4.channel.k8s.io', hasStatus: true, hasResize: true },
  { name: 'v3.channel.k8s.io', hasStatus: false, hasResize: true },
  { name: 'v2.channel.k8s.io', hasStatus: false, hasResize: false },
  { name: 'channel.k8s.io', hasStatus: false, hasResize: false },
];

/** Five are asked for at most. */
const mostStreams = 8;

/** The streams that a client opens, by what it asked for; `error` always. */
const expectedTypes = (options: StreamOptions, { hasResize }: SpdyProtocol): readonly string[] => [
  'error',
  ...(options.stdin ? ['stdin'] : []),
  ...(options.stdout ? ['stdout'] : []),
  ...(options.stderr ? ['stderr'] : []),
  ...(options.tty && hasResize ? ['resize'] : []),
];

/**
 * An exec or attach over SPDY, as soon as the client has opened all the streams that it asked for; undefined when it has not within
 * `creationMs`, or is gone.
 */
export async function commandOverSpdy(
  transport: ByteTransport,
  protocol: SpdyProtocol,
  { options, creationMs }: { readonly options: StreamOptions; readonly creationMs: number },
): Promise<CommandStreams | undefined> {
  const expected = expectedTypes(options, protocol);
  const streams = new Map<string, SpdyStream>();
  const gone = new AbortController();
  const { promise: complete, resolve } = Promise.withResolvers<boolean>();
  const connection = new SpdyConnection(transport, {
    mostStreams,
    onStream: (stream) => {
      const type = stream.headers.get('streamtype') ?? '';
      if (!expected.includes(type) || streams.has(type)) return false;
      streams.set(type, stream);
      if (streams.size === expected.length) resolve(true);
      return true;
    },
  });
  const run = async (): Promise<void> => {
    await connection.run();
    gone.abort();
    resolve(false);
  };
  void run();
  const timer = setTimeout(() => resolve(false), creationMs);
  const isComplete = await complete;
  clearTimeout(timer);
  const error = streams.get('error');
  if (!isComplete || error === undefined) {
    connection.close();
    return undefined;
  }
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    nextSize: sizesOf(streams.get('resize'), gone.signal),
    gone: gone.signal,
    finish: async (outcome: Outcome) => {
      streams.get('stdin')?.abandon();
      const text = protocol.hasStatus ? commandStatus(outcome) : plainStatus(outcome);
      await streams.get('stdout')?.end();
      await streams.get('stderr')?.end();
      await error.write(Buffer.from(text));
      await error.end();
      connection.close();
    },
    destroy: () => transport.destroy(),
  };
}

function sizesOf(stream: SpdyStream | undefined, gone: AbortSignal): CommandStreams['nextSize'] {
  const sizes = new SizeQueue();
  const read = async (): Promise<void> => {
    for (let bytes = await stream?.read(); bytes !== undefined; bytes = await stream?.read()) sizes.push(bytes);
    sizes.end();
  };
  void read();
  gone.addEventListener('abort', () => sizes.end(), { once: true });
  return () => sizes.next();
}
