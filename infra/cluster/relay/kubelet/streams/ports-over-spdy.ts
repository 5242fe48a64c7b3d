import { SpdyConnection } from '../spdy/connection.ts';
import { rstStatus } from '../spdy/frames.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { isPort } from '../stream-query.ts';
import type { PortStream } from './port-connection.ts';
import type { ByteTransport } from './transport.ts';

/** Forwards one connection; answers why it failed. */
export type Forward = (port: number, stream: PortStream) => Promise<string | undefined>;

export interface PortSession {
  /** Resolves when the client, or this side, has ended it. Never rejects. */
  readonly ended: Promise<void>;
  /** Says so to the client. Safe to repeat. */
  close(): void;
}

/** Two for each connection that is forwarded. */
const mostStreams = 512;

interface Pair {
  readonly port: string;
  data?: SpdyStream;
  error?: SpdyStream;
  readonly expiry: NodeJS.Timeout;
}

/** Forwards connections of one client: two streams each, `data` and `error`, which find each other by their request's number. */
export function portsOverSpdy(transport: ByteTransport, forward: Forward, creationMs: number): PortSession {
  const pairs = new Map<string, Pair>();
  const onStream = (stream: SpdyStream): boolean => {
    const type = stream.headers.get('streamtype');
    const port = stream.headers.get('port') ?? '';
    if ((type !== 'data' && type !== 'error') || !isPort(port) || Number(port) < 1) return false;
    const id = requestOf(stream, type);
    const pair = pairs.get(id) ?? { port, expiry: setTimeout(() => expire(id), creationMs) };
    if (pair[type] !== undefined || pair.port !== port) return false;
    pair[type] = stream;
    pairs.set(id, pair);
    const { data, error } = pair;
    if (data === undefined || error === undefined) return true;
    clearTimeout(pair.expiry);
    pairs.delete(id);
    void serve({ data, error, port: Number(port) }, forward);
    return true;
  };
  const expire = (id: string): void => {
    const pair = pairs.get(id);
    pairs.delete(id);
    for (const stream of [pair?.data, pair?.error]) stream?.reset(rstStatus.cancel);
  };
  const connection = new SpdyConnection(transport, { mostStreams, onStream });
  const run = async (): Promise<void> => {
    await connection.run();
    for (const { expiry } of pairs.values()) clearTimeout(expiry);
  };
  return { ended: run(), close: () => connection.close() };
}

/** Old clients name no request: their two streams have one odd number after the other, `error` first. */
function requestOf({ id, headers }: SpdyStream, type: 'data' | 'error'): string {
  const named = headers.get('requestid') ?? '';
  return named === '' ? String(type === 'error' ? id : id - 2) : named;
}

async function serve(
  { data, error, port }: { readonly data: SpdyStream; readonly error: SpdyStream; readonly port: number },
  forward: Forward,
): Promise<void> {
  const fault = await forward(port, data);
  if (fault !== undefined) await error.write(Buffer.from(fault));
  // `error` first: a client that waits for it has all of it then.
  await error.end();
  if (fault === undefined) await data.end();
  else data.reset();
}
