import type { HttpCookie, HttpData, NullableValue, TypedData } from './protocol.ts';

export interface IncomingRequest {
  readonly method: string;
  /** Path as a URL has it, and query as it came. */
  readonly target: string;
  /** Pairs in the order they came. */
  readonly headers: readonly (readonly [string, string])[];
  body: Uint8Array;
  /** Whether the request declared a Content-Length above 0; a chunked body never reaches a function in this mode. */
  readonly hasLength: boolean;
  /** Used when the request carries no Host. */
  readonly host: string;
}

export interface OutgoingResponse {
  readonly status: number;
  readonly headers: [string, string][];
  body: Uint8Array;
  /** A function's answer: without a length, in chunks, as the real host writes it. */
  readonly isChunked?: boolean;
}

/** Headers that only the platform's front end may set; a client's own are dropped. */
const STRIPPED = /^(x-ms-client-principal(-.*)?|x-arr-clientcert)$/;

/** Framing belongs to the front end. */
const FRAMING = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'te',
  'trailer',
]);

function nullable(values: ReadonlyMap<string, string>): Record<string, NullableValue<string>> {
  return Object.fromEntries([...values].map(([name, value]) => [name, { value }]));
}

function joined(pairs: Iterable<readonly [string, string]>, separator: (name: string) => string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before}${separator(name)}${value}`);
  }
  return values;
}

/** The request as the worker gets it (non-streaming): lower-case header names, repeated query keys joined with commas. */
export function toHttpData(request: IncomingRequest, params: Readonly<Record<string, string>>): TypedData {
  const lowered = request.headers
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => !STRIPPED.test(name) && name !== 'connection');
  const headers = joined(lowered, (name) => (name === 'cookie' ? '; ' : ','));
  const url = new URL(`http://${headers.get('host') ?? request.host}${request.target}`);
  const http: HttpData = {
    method: request.method,
    url: url.href,
    nullableHeaders: nullable(headers),
    nullableQuery: nullable(joined(url.searchParams, () => ',')),
    nullableParams: nullable(new Map(Object.entries(params))),
  };
  if (request.hasLength && request.body.byteLength > 0) http.body = { bytes: request.body };
  return { http };
}

function bodyBytes(body: TypedData | null | undefined): Uint8Array {
  if (body === null || body === undefined) return new Uint8Array();
  if ('bytes' in body) return body.bytes;
  if ('string' in body) return Buffer.from(body.string);
  return Buffer.from('json' in body ? body.json : '');
}

const SAME_SITE = { lax: 'lax', strict: 'strict', explicitNone: 'none' } as const;

/** A Set-Cookie line as ASP.NET writes it: escaped name and value, `path=/` when none is given. */
export function setCookie(cookie: HttpCookie): string {
  const parts = [`${encodeURIComponent(cookie.name ?? '')}=${encodeURIComponent(cookie.value ?? '')}`];
  if (cookie.expires) parts.push(`expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`max-age=${Math.trunc(cookie.maxAge.value)}`);
  if (cookie.domain) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value ?? '/'}`);
  if (cookie.secure?.value === true) parts.push('secure');
  if (cookie.sameSite !== undefined && cookie.sameSite !== 'none') parts.push(`samesite=${SAME_SITE[cookie.sameSite]}`);
  if (cookie.httpOnly?.value === true) parts.push('httponly');
  return parts.join('; ');
}

/** The worker's return value as a response; a handler that returned nothing is an empty 204. */
export function toResponse(returnValue: TypedData | null | undefined): OutgoingResponse {
  if (returnValue === null || returnValue === undefined || !('http' in returnValue))
    return { status: 204, headers: [], body: new Uint8Array() };
  const { statusCode, headers = {}, cookies = [], body } = returnValue.http;
  const lines = Object.entries(headers).filter(([name]) => !FRAMING.has(name.toLowerCase()));
  return {
    status: Number(statusCode ?? '200'),
    headers: [...lines, ...cookies.map((cookie): [string, string] => ['set-cookie', setCookie(cookie)])],
    body: bodyBytes(body),
    isChunked: true,
  };
}
