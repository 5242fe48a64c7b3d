/** Requests and watches over one API server: every answer a value, nothing thrown, nothing unbounded. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { errorName, send } from './client.ts';
import type { KubernetesClient, KubernetesRequest } from './client.ts';
import { startDeadline } from './deadline.ts';
import type { Deadline } from './deadline.ts';
import { toFault, transient } from './fault.ts';
import { parseJson } from '../../wire/json-text.ts';
import { resourceOf } from './path.ts';
import { readAtMost } from './read-at-most.ts';

export {
  type KubernetesClient,
  type KubernetesClientConfig,
  type KubernetesRequest,
  asNode,
  createKubernetesClient,
} from './client.ts';
import { defined } from '../../core/defined.ts';

/** 500 pods of 64 KiB each; a page beyond it is no answer of ours. */
const maxBodyBytes = 32 * 1024 * 1024;
/** An object in etcd is at most 1.5 MiB. */
const maxLineLength = 8 * 1024 * 1024;

/**
 * One request, its JSON answer read by `parse` (undefined: not what the API promises, a `transient` fault). Bounded by
 * `signal`, the client's time-out and 32 MiB. Not repeated inside, but for one 401 where there is another token. Never throws.
 */
export async function request<T>(
  client: KubernetesClient,
  outgoing: KubernetesRequest,
  parse: (json: unknown) => T | undefined,
  signal: AbortSignal,
): Promise<Result<T>> {
  const { method, path } = outgoing;
  const end = client.config.observe?.({ port: 'kubernetes', method, action: `${method} ${resourceOf(path)}` });
  const { result, status } = await requestOnce(client, outgoing, parse, signal);
  end?.({ ...defined({ status }), ...(result.ok ? {} : { fault: result.fault.kind }) });
  return result;
}

/** What a request came to; the status where the server answered. */
interface Requested<T> {
  readonly result: Result<T>;
  readonly status?: number;
}

async function requestOnce<T>(
  client: KubernetesClient,
  outgoing: KubernetesRequest,
  parse: (json: unknown) => T | undefined,
  signal: AbortSignal,
): Promise<Requested<T>> {
  const deadline = startDeadline(signal, client.config.requestTimeoutMs);
  try {
    const sent = await send(client, outgoing, deadline.signal);
    if (!sent.ok) return { result: deadline.cause() === undefined ? sent : interrupted(outgoing, deadline, undefined) };
    const status = sent.value.statusCode ?? 0;
    return { result: named(client, await readAnswer(sent.value, outgoing, parse), status), status };
  } catch (error) {
    return { result: interrupted(outgoing, deadline, error) };
  } finally {
    deadline.end();
  }
}

/** How a watch is to be read. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** One event as the API server sent it: a line of JSON, not parsed. Awaited, so that a slow reader slows the server. */
  readonly onLine: (line: string) => void | Promise<void>;
  /** Without a byte for so long, the watch is given up as `transient`. Bookmarks come about once a minute. */
  readonly inactivityTimeoutMs: number;
}

/**
 * Streams a watch (`query` must hold what makes it one) until the server ends it: ok after a clean end, else the fault:
 * `conflict` `Expired` when the resourceVersion is too old already. An `ERROR` event is a line like others. The time
 * that `onLine` takes counts as inactivity. Never throws by itself; what `onLine` throws passes through.
 */
export async function openWatch(
  client: KubernetesClient,
  path: string,
  query: Readonly<Record<string, string>>,
  options: WatchOptions,
): Promise<Result<void>> {
  const outgoing: KubernetesRequest = { method: 'GET', path, query };
  const deadline = startDeadline(options.signal, options.inactivityTimeoutMs);
  try {
    const sent = await send(client, outgoing, deadline.signal);
    if (!sent.ok) return deadline.cause() === undefined ? sent : interrupted(outgoing, deadline, undefined);
    if (!isSuccess(sent.value))
      return named(client, await readAnswer(sent.value, outgoing, () => undefined), sent.value.statusCode ?? 0);
    return await readLines(sent.value, outgoing, { deadline, onLine: options.onLine });
  } finally {
    deadline.end();
  }
}

/** A refused token is reported with where it is from. */
function named<T>({ config }: KubernetesClient, result: Result<T>, status: number): Result<T> {
  if (result.ok || status !== 401 || result.fault.kind !== 'denied' || config.tokenOrigin === undefined) return result;
  return fail({ ...result.fault, message: `${result.fault.message}; ${config.tokenOrigin}` });
}

async function readAnswer<T>(
  response: IncomingMessage,
  outgoing: KubernetesRequest,
  parse: (json: unknown) => T | undefined,
): Promise<Result<T>> {
  const body = (await readAtMost(decoded(response), maxBodyBytes))?.toString('utf8');
  if (body === undefined)
    return fail(transient(`${describe(outgoing)}: the answer is larger than ${maxBodyBytes} bytes`));
  if (!isSuccess(response)) {
    const { 'retry-after': retryAfter, date } = response.headers;
    return fail(toFault({ status: response.statusCode ?? 0, body, retryAfter, date }));
  }
  const value = parse(parseJson(body));
  return value === undefined
    ? fail(transient(`${describe(outgoing)}: the answer is not what the API promises`))
    : ok(value);
}

async function readLines(
  response: IncomingMessage,
  outgoing: KubernetesRequest,
  { deadline, onLine }: { readonly deadline: Deadline; readonly onLine: WatchOptions['onLine'] },
): Promise<Result<void>> {
  const decoder = new StringDecoder('utf8');
  const chunks = decoded(response)[Symbol.asyncIterator]();
  let rest = '';
  try {
    for (let next = await nextChunk(chunks); !next.done; next = await nextChunk(chunks)) {
      if (!next.ok) return interrupted(outgoing, deadline, next.error);
      deadline.extend();
      const lines = `${rest}${decoder.write(next.bytes)}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineLength)
        return fail(transient(`${describe(outgoing)}: a line longer than ${maxLineLength} characters`));
      for (const line of lines.filter((text) => text.trim() !== '')) await onLine(line);
    }
    return rest.trim() === ''
      ? ok(undefined)
      : fail(transient(`${describe(outgoing)}: the stream ended within a line`));
  } finally {
    response.destroy();
  }
}

type Chunk =
  | { readonly done: true }
  | { readonly done: false; readonly ok: true; readonly bytes: Buffer }
  | { readonly done: false; readonly ok: false; readonly error: unknown };

/** A broken stream as a value, so that what `onLine` throws is not taken for one. */
async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<Chunk> {
  try {
    const next = await chunks.next();
    return next.done === true ? { done: true } : { done: false, ok: true, bytes: Buffer.from(next.value) };
  } catch (error) {
    return { done: false, ok: false, error };
  }
}

function decoded(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  // A broken pipe is seen by the reader of `gunzip`, which pipeline destroys with the same error.
  return pipeline(response, createGunzip(), () => undefined);
}

const isSuccess = (response: IncomingMessage): boolean => {
  const status = response.statusCode ?? 0;
  return status >= 200 && status < 300;
};

const describe = (outgoing: KubernetesRequest): string => `${outgoing.method} ${outgoing.path}`;

const interrupted = (outgoing: KubernetesRequest, deadline: Deadline, error: unknown): Result<never> =>
  fail(transient(`${describe(outgoing)}: ${deadline.cause() ?? errorName(error)}`));
