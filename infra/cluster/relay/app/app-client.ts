import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { TLSSocket, rootCertificates } from 'node:tls';
import pLimit from 'p-limit';
import { parseHttpDate } from '../../../../shared/adapters/kubernetes/http-date.ts';
import { readAtMost } from '../../../../shared/adapters/kubernetes/read-at-most.ts';
import { responseTo } from '../../../../shared/adapters/kubernetes/response-to.ts';
import type { TerminalSize } from '../../../../shared/core/streams/stream-session.ts';
import { featuresHeader, formatFeatures, servedFeatures } from '../../../../shared/wire/relay-protocol/features.ts';
import { farEndsHeader, formatFarEnds } from '../../../../shared/wire/relay-protocol/far-ends.ts';
import type { OfferedFarEnd } from '../../../../shared/wire/relay-protocol/far-ends.ts';
import {
  containerLogsPath,
  containerStreamPath,
  podEventsPath,
  sessionDialPath,
} from '../../../../shared/wire/relay-protocol/paths.ts';
import type { LogTarget, StreamKind, StreamTarget } from '../../../../shared/wire/relay-protocol/paths.ts';
import { endlessTerm } from '../election/term.ts';
import type { Term } from '../election/term.ts';

const features = { [featuresHeader]: formatFeatures(servedFeatures) };

/** What a session is to be. */
export interface SessionWish {
  readonly kind: StreamKind;
  /** Of the terminal of what is started in the container; undefined: only what the container writes is wanted. */
  readonly terminalSize: TerminalSize | undefined;
  /** What can be spoken to, beside what every relay can. */
  readonly farEnds: readonly OfferedFarEnd[];
}

/** What the app said. */
export type AppAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      /** From `Retry-After`; undefined without one. */
      readonly retryAfterMs: number | undefined;
    }
  /** No answer: network, time-out, or too long a one. `message` names no more than the error's code. */
  | { readonly kind: 'unreachable'; readonly message: string };

export interface AppClientOptions {
  /** Without `/api`. */
  readonly url: string;
  readonly caFile: string | undefined;
  readonly getToken: (options?: { readonly fresh: boolean }) => Promise<string>;
  readonly clusterUid: string;
  readonly userAgent: string;
}

/** Past the app's own deadlines of 20 s, cold start included. */
const timeoutMs = 45_000;
/** ACI keeps at most 4 MB of a log. */
const maxBodyBytes = 16 * 1024 * 1024;
/** App Service closes idle connections after minutes; a proxy in between sooner. */
const idleSocketMs = 30_000;
/** Logs are megabytes: so many are held at once, the others wait. */
const logsAtOnce = 4;

/** The app's HTTP functions. A 401 is tried a second time with a token read anew; nothing else is repeated. Never throws. */
export class AppClient {
  readonly #options: AppClientOptions;
  readonly #agent: HttpAgent;
  readonly #base: URL;
  readonly #logLimit = pLimit(logsAtOnce);

  constructor(options: AppClientOptions) {
    this.#options = options;
    this.#base = new URL(options.url);
    const caPem = options.caFile === undefined ? undefined : readFileSync(options.caFile, 'utf8');
    const keepAlive = { keepAlive: true, timeout: idleSocketMs, maxSockets: 64 };
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({
            ...keepAlive,
            rejectUnauthorized: true,
            ...(caPem === undefined ? {} : { ca: [...rootCertificates, caPem] }),
          })
        : new HttpAgent(keepAlive);
  }

  /** Posts pod events; `body` is the JSON. Not a byte of it goes out when the term is over by then: `unreachable`. */
  postEvents(body: string, signal: AbortSignal, term: Term = endlessTerm): Promise<AppAnswer> {
    return this.#send(
      { method: 'POST', path: this.#path(podEventsPath(this.#options.clusterUid)), body, term, headers: features },
      signal,
    );
  }

  /** What ACI keeps of a container's log, each line with its instant. */
  getLogs(target: LogTarget, signal: AbortSignal): Promise<AppAnswer> {
    const outgoing: Outgoing = {
      method: 'GET',
      path: this.#path(containerLogsPath(this.#options.clusterUid, target)),
    };
    return this.#logLimit(() => this.#send(outgoing, signal));
  }

  /** One session with a container. Not repeated: each is another. */
  openStream(target: StreamTarget, wish: SessionWish, signal: AbortSignal): Promise<AppAnswer> {
    const { kind, terminalSize, farEnds } = wish;
    const path = this.#path(containerStreamPath(this.#options.clusterUid, target, kind));
    const headers = farEnds.length === 0 ? {} : { [farEndsHeader]: formatFarEnds(farEnds) };
    return this.#send(
      { method: 'POST', path, body: JSON.stringify(terminalSize === undefined ? {} : { terminalSize }), headers },
      signal,
    );
  }

  /** Whether the app itself reaches a session with a container. */
  dialSession(target: StreamTarget, signal: AbortSignal): Promise<AppAnswer> {
    const path = this.#path(sessionDialPath(this.#options.clusterUid, target));
    return this.#send({ method: 'POST', path, body: '{}' }, signal);
  }

  close(): void {
    this.#agent.destroy();
  }

  #path(path: string): string {
    return `${this.#base.pathname.replace(/\/$/, '')}${path}`;
  }

  async #send(outgoing: Outgoing, signal: AbortSignal): Promise<AppAnswer> {
    const deadline = new AbortController();
    const onAbort = (): void => deadline.abort();
    const timer = setTimeout(onAbort, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const first = await this.#exchange(outgoing, { fresh: false, signal: deadline.signal });
      return first.kind === 'answer' && first.status === 401
        ? await this.#exchange(outgoing, { fresh: true, signal: deadline.signal })
        : first;
    } catch (error) {
      if (error instanceof TermOver) return { kind: 'unreachable', message: error.message };
      return { kind: 'unreachable', message: deadline.signal.aborted ? 'no answer in time' : nameOf(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(
    { method, path, body, term = endlessTerm, headers = {} }: Outgoing,
    { fresh, signal }: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<AppAnswer> {
    const token = await this.#options.getToken({ fresh });
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const request = this.#open({
      method,
      path,
      headers: {
        accept: 'application/json, text/plain',
        authorization: `Bearer ${token}`,
        'user-agent': this.#options.userAgent,
        ...headers,
        // The Functions host loses bodies without a length.
        ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
      },
    });
    const answered = responseTo(request, signal);
    // A connection may take long, or the process freeze meanwhile: the term is checked when it is there.
    whenConnected(request, () => {
      if (term.isHeld()) request.end(bytes);
      else request.destroy(new TermOver());
    });
    return readAnswer(await answered);
  }

  #open(options: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
  }): ClientRequest {
    const { hostname, port, protocol } = this.#base;
    const all = { ...options, agent: this.#agent, hostname: hostname.replaceAll(/[[\]]/g, ''), port };
    return protocol === 'https:' ? httpsRequest(all) : httpRequest(all);
  }
}

interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: whoever leads may send it. */
  readonly term?: Term;
}

class TermOver extends Error {
  constructor() {
    super('this replica no longer leads');
  }
}

/** Headers wait for the body, so that nothing is sent before `act`. */
function whenConnected(request: ClientRequest, act: () => void): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) act();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', act);
  });
}

async function readAnswer(response: IncomingMessage): Promise<AppAnswer> {
  const body = await readAtMost(response, maxBodyBytes);
  if (body === undefined) return { kind: 'unreachable', message: `more than ${maxBodyBytes} bytes` };
  return {
    kind: 'answer',
    status: response.statusCode ?? 0,
    body: body.toString('utf8'),
    retryAfterMs: retryAfterMs(response.headers['retry-after'], response.headers.date),
  };
}

/** Whoever says more (a proxy's page of maintenance) is asked again: pods wait, and a timer of weeks would fire at once. */
const longestRetryAfterMs = 300_000;

/** `Retry-After` in seconds or as a date, in ms, at most five minutes; undefined when there is none. */
function retryAfterMs(header: string | undefined, date: string | undefined): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,6}$/.test(text)) return Math.min(longestRetryAfterMs, Number(text) * 1000);
  const ms = parseHttpDate(text) - parseHttpDate(date);
  return Number.isNaN(ms) ? undefined : Math.min(longestRetryAfterMs, Math.max(0, ms));
}

const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};
