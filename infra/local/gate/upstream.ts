import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Answer } from './call.ts';
import { defined } from '../../../shared/core/defined.ts';

/** Where a world really is. */
export interface UpstreamOptions {
  /** `http://127.0.0.1:port` or `https://…`, without a path. */
  readonly url: string;
  /** PEM of the authority behind an https URL. */
  readonly caPem?: string | undefined;
}

export interface Forwarded {
  readonly method: string;
  /** As it came, not decoded. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What belongs to one connection and is not passed on. */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'te']);

/** Connections to one world. */
export class Upstream {
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor({ url, caPem }: UpstreamOptions) {
    this.#url = new URL(url);
    const options = { keepAlive: true, maxSockets: 128 };
    this.#agent =
      this.#url.protocol === 'https:'
        ? new HttpsAgent({ ...options, ...defined({ ca: caPem }) })
        : new HttpAgent(options);
  }

  /** Sends once and reads the whole answer. Rejects when the connection fails. An idle connection that the world has just closed is replaced. */
  async forward(call: Forwarded): Promise<Answer> {
    try {
      return await this.#send(call);
    } catch (error) {
      if (error instanceof StaleConnection) return this.#send(call);
      throw error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send({ method, target, headers, body }: Forwarded): Promise<Answer> {
    const isSecure = this.#url.protocol === 'https:';
    const options = {
      agent: this.#agent,
      hostname: this.#url.hostname,
      port: this.#url.port,
      method,
      path: target,
      headers: {
        ...passedOn(headers),
        ...(body.length === 0 && !hasBody(method) ? {} : { 'content-length': body.length }),
      },
    };
    const request = isSecure ? httpsRequest(options) : httpRequest(options);
    const response = await answered(request, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    return {
      status: response.statusCode ?? 502,
      headers: passedOn(response.headers),
      body: Buffer.concat(chunks),
    };
  }
}

class StaleConnection extends Error {}

const hasBody = (method: string): boolean => method !== 'GET' && method !== 'DELETE' && method !== 'HEAD';

function answered(request: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', (error) => reject(request.reusedSocket ? new StaleConnection(error.message) : error));
    request.end(body);
  });
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]): [string, string | string[]][] =>
      value === undefined || hopByHop.has(name) ? [] : [[name, value]],
    ),
  );
}
