import type * as http from 'node:http';
import { createRequire } from 'node:module';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type * as nodeTls from 'node:tls';
import { defined } from '../../core/defined.ts';
import { fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import { isForbiddenAddress } from '../../core/image/forbidden-address.ts';
import { mappedOrigin } from '../../core/image/registry-endpoint.ts';
import type { MappedEndpoints } from '../../core/image/registry-endpoint.ts';
import type { CallObserver, EndCall } from '../../ports/telemetry.ts';
import { parseUrl } from '../../wire/url-text.ts';
import { errorName } from '../kubernetes/client.ts';
import { startDeadline } from '../kubernetes/deadline.ts';
import { readAtMost } from '../kubernetes/read-at-most.ts';
import { responseTo } from '../kubernetes/response-to.ts';
import { ForbiddenAddress, guardedLookup } from './guarded-lookup.ts';
import type { ResolveAll } from './guarded-lookup.ts';
import { registryFault } from './registry-faults.ts';
import type { RegistryAnswer } from './registry-faults.ts';

export interface RegistryHttpConfig {
  /** By host, also of authorization services and of where blobs are: what an operator wants asked instead, whatever its address. */
  readonly endpoints: MappedEndpoints;
  /** PEM of authorities that are trusted besides the system's. */
  readonly caPem?: string;
  readonly userAgent: string;
  /** For one request, its body included. */
  readonly requestTimeoutMs?: number;
  /** Whether names may lead to any address: only where an operator named the registry himself, and no pod. */
  readonly anyAddress?: true;
  readonly resolve?: ResolveAll;
  readonly observe?: CallObserver;
}

/** What a request brings; no redirect is followed with it. */
export interface RequestContent {
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface RegistryRequest {
  /** For whoever observes. */
  readonly action: 'manifest' | 'blob' | 'token' | 'exchange' | 'upload';
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly accept?: string;
  readonly authorization?: string;
  readonly content?: RequestContent;
  /** Of the answer; what is longer is not read to its end. */
  readonly maxBytes: number;
}

interface Target {
  /** Where the request really goes. */
  readonly url: URL;
  readonly isMapped: boolean;
}

/** Sends a request and follows where it is sent to. A fault only where nothing was answered, or nothing may be asked. */
export type RegistryHttp = (request: RegistryRequest, signal: AbortSignal) => Promise<Result<RegistryAnswer>>;

const defaultTimeoutMs = 5_000;
const mostRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const idleSocketMs = 20_000;

/** Only where it is used: an `import` of node:http loads undici, 20 ms of a cold start. As the oldest Node of the command line can. */
const load = createRequire(import.meta.url);
const plainHttp = (): typeof http => load('node:http');
const tls = (): typeof nodeTls => load('node:tls');

/**
 * HTTP as registries are spoken to: over TLS, to no forbidden address and no plain http, unless the host is mapped; an
 * `Authorization` goes to the origin that it was meant for and no other. Never throws.
 */
export function createRegistryHttp(config: RegistryHttpConfig): RegistryHttp {
  const agent = new Agent({
    keepAlive: true,
    timeout: idleSocketMs,
    ...(config.caPem !== undefined && { ca: [...tls().rootCertificates, config.caPem] }),
    // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED can't turn it off.
    rejectUnauthorized: true,
  });
  const lookup = config.anyAddress === true ? undefined : guardedLookup(config.resolve);
  const timeoutMs = config.requestTimeoutMs ?? defaultTimeoutMs;

  /** Where a URL really leads; a fault where it may not be asked. */
  const targetOf = (url: URL): Result<Target> => {
    if (url.username !== '' || url.password !== '')
      return refused('InsecureRegistry', `a URL of ${url.host} holds a user, who is not taken from there`);
    const origin = mappedOrigin(url.host, config.endpoints);
    const mapped = origin === undefined ? undefined : parseUrl(`${origin}${url.pathname}${url.search}`);
    if (mapped !== undefined) return ok({ url: mapped, isMapped: true });
    if (Object.values(config.endpoints).includes(url.origin)) return ok({ url, isMapped: true });
    if (url.protocol !== 'https:')
      return refused(
        'InsecureRegistry',
        `${url.origin} is plain http, over which nothing is asked; map it to allow that`,
      );
    const literal = url.hostname.replaceAll(/[[\]]/g, '');
    return lookup !== undefined && isIP(literal) !== 0 && isForbiddenAddress(literal)
      ? fail(forbidden(url.host))
      : ok({ url, isMapped: false });
  };

  const sendOnce = async (
    request: RegistryRequest,
    { url, isMapped }: Target,
    signal: AbortSignal,
  ): Promise<Result<Omit<RegistryAnswer, 'isElsewhere'>>> => {
    const deadline = startDeadline(signal, timeoutMs);
    try {
      const options: http.RequestOptions = {
        method: request.method,
        headers: headersOf(request, config.userAgent),
        ...(!isMapped && defined({ lookup })),
      };
      const outgoing =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent })
          : plainHttp().request(url, { ...options, agent: false });
      const answered = responseTo(outgoing, deadline.signal);
      outgoing.end(request.content?.bytes);
      const response = await answered;
      response.on('error', () => undefined);
      const read = await readAtMost(response, request.maxBytes);
      return read === undefined
        ? refused('TooLarge', `${request.url.host} sent more than ${request.maxBytes} bytes`)
        : ok({ status: response.statusCode ?? 0, headers: response.headers, body: read });
    } catch (error) {
      return fail(thrownFault(error, request.url.host, deadline.cause()));
    } finally {
      deadline.end();
    }
  };

  const follow: RegistryHttp = async (request, signal) => {
    const { authorization: _, ...open } = request;
    let current: RegistryRequest = request;
    let target = targetOf(request.url);
    let isElsewhere = false;
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      if (!target.ok) return target;
      const answer = await sendOnce(current, target.value, signal);
      if (!answer.ok) return answer;
      const url = redirects.has(answer.value.status) ? redirected(current, answer.value.headers.location) : undefined;
      if (url === undefined) return ok({ ...answer.value, isElsewhere });
      const next = targetOf(url);
      isElsewhere ||= !next.ok || next.value.url.origin !== target.value.url.origin;
      current = { ...(isElsewhere ? open : current), url };
      target = next;
    }
    return refused('TooManyRedirects', `${request.url.host} redirected more than ${mostRedirects} times`);
  };

  return async (request, signal) => {
    const { action, method } = request;
    const end = config.observe?.({ port: 'registry', method, action });
    const answer = await follow(request, signal);
    end?.(outcomeOf(answer));
    return answer;
  };
}

/** A 401 is a question, and no fault yet. */
function outcomeOf(answer: Result<RegistryAnswer>): Parameters<EndCall>[0] {
  if (!answer.ok) return { fault: answer.fault.kind };
  const { status } = answer.value;
  return { status, ...(status >= 400 && status !== 401 && { fault: registryFault(answer.value, '', '').kind }) };
}

/** Where it is sent to; undefined: nowhere, the redirect is the answer. What is brought is never sent on: it may hold a secret. */
function redirected({ url, content }: RegistryRequest, location: string | undefined): URL | undefined {
  if (location === undefined || content !== undefined || !URL.canParse(location, url.href)) return undefined;
  return new URL(location, url.href);
}

function headersOf(
  { method, accept = 'application/json', authorization, content }: RegistryRequest,
  userAgent: string,
): Record<string, string> {
  return {
    accept,
    'user-agent': userAgent,
    ...defined({ authorization }),
    ...(content !== undefined && { 'content-type': content.type, 'content-length': String(content.bytes.length) }),
    // Without it Node sends a POST that brings nothing in chunks, which some registries refuse.
    ...(content === undefined && method === 'POST' && { 'content-length': '0' }),
  };
}

const refused = (code: string, message: string): Result<never> => fail({ kind: 'rejected', code, message });

const forbidden = (host: string): Fault => ({
  kind: 'rejected',
  code: 'ForbiddenAddress',
  message: `${host} is at an address that is not asked; map it to allow that`,
});

/** The error's code and no more of it, and which host. */
function thrownFault(error: unknown, host: string, cause: string | undefined): Fault {
  if (cause !== undefined) return { kind: 'transient', message: `${host} did not answer in time` };
  if (error instanceof ForbiddenAddress) return forbidden(host);
  return { kind: 'transient', message: `${host} could not be asked: ${errorName(error)}` };
}
