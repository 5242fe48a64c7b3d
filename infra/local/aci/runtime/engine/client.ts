import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ZodType } from 'zod';
import { defined } from '../../../../../shared/core/defined.ts';

/** The engine answered with an error status; `message` is its own sentence. */
export class EngineError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineError';
    this.status = status;
  }
}

/** Whether the engine says that the container or network is not there; Podman does so with 500 when it goes meanwhile. */
export function isAbsent(error: unknown): boolean {
  return (
    error instanceof EngineError && (error.status === 404 || /no such (?:container|network)/iu.test(error.message))
  );
}

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path with query; the API version is added here. */
  readonly path: string;
  /** JSON body. */
  readonly body?: object;
  /** Raw body, for archives. */
  readonly upload?: NodeJS.ReadableStream;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The Docker Engine API over a unix socket; as much of it as the runtime needs. */
export interface EngineClient {
  /** Sends a request and checks the answer against `schema`. Throws `EngineError` on status 400 and above. */
  json<T>(schema: ZodType<T>, request: EngineRequest): Promise<T>;
  /** Sends a request whose answer does not matter. Throws `EngineError` on status 400 and above, save those in `accept`. */
  send(request: EngineRequest, accept?: readonly number[]): Promise<void>;
  /** Sends a request and hands back its body as it arrives. Throws `EngineError` on status 400 and above. */
  stream(request: EngineRequest): Promise<IncomingMessage>;
  /** Sends a request after which the connection is the process's: its output to read, its input to write. Throws as `stream`. */
  hijack(request: EngineRequest): Promise<Duplex>;
  close(): void;
}

/** 1.41 is the version that Podman 4 speaks; every Docker since 20.10 speaks it too. */
const apiVersion = '/v1.41';
/** Podman counts the versions of its own calls apart. */
const libpodVersion = '/v4.0.0';

/** A client for the engine that listens on `socketPath`. Connections are reused until `close`. */
export function createEngineClient(socketPath: string): EngineClient {
  const agent = new Agent({ keepAlive: true });
  const open = (options: EngineRequest) => openRequest({ socketPath, agent, options });
  const checked = async (options: EngineRequest, accept: readonly number[] = []) => {
    const answer = await open(options);
    const status = answer.statusCode ?? 500;
    if (status < 400 || accept.includes(status)) return answer;
    throw new EngineError(status, sentenceOf(await readText(answer)));
  };
  return {
    async json(schema, options) {
      return schema.parse(JSON.parse(await readText(await checked(options))));
    },
    async send(options, accept) {
      await readText(await checked(options, accept));
    },
    stream: (options) => checked(options),
    hijack: (options) => openConnection({ socketPath, agent, options: { ...options, headers: upgrade } }),
    close: () => agent.destroy(),
  };
}

interface OpenOptions {
  readonly socketPath: string;
  readonly agent: Agent;
  readonly options: EngineRequest;
}

const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp' };

function openRequest(open: OpenOptions): Promise<IncomingMessage> {
  const outgoing = sendRequest(open);
  return new Promise((resolve, reject) => outgoing.on('response', resolve).on('error', reject));
}

function openConnection(open: OpenOptions): Promise<Duplex> {
  const outgoing = sendRequest(open);
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('upgrade', (_, connection, head) => {
      if (head.length > 0) connection.unshift(head);
      resolve(connection);
    });
    outgoing.on('response', (answer) => {
      const { statusCode = 500 } = answer;
      readText(answer).then((text) => reject(new EngineError(statusCode, sentenceOf(text))), reject);
    });
  });
}

function sendRequest({ socketPath, agent, options }: OpenOptions): ClientRequest {
  const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
  const outgoing = request({
    socketPath,
    agent,
    method: options.method,
    path: `${options.path.startsWith('/libpod/') ? libpodVersion : apiVersion}${options.path}`,
    headers: {
      Host: 'engine',
      ...(payload === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }),
      ...options.headers,
    },
    ...defined({ signal: options.signal }),
  });
  if (options.upload === undefined) {
    outgoing.end(payload);
    return outgoing;
  }
  options.upload.on('error', (error) => outgoing.destroy(error));
  options.upload.pipe(outgoing);
  return outgoing;
}

async function readText(answer: IncomingMessage): Promise<string> {
  return (await readBytes(answer)).toString('utf8');
}

/** The whole body of an answer. */
export async function readBytes(answer: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sentenceOf(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string')
      return parsed.message;
  } catch {
    // Not JSON: the text itself is the sentence.
  }
  return text.trim();
}
