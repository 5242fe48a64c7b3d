import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Generation } from './generation.ts';
import { hostAdminResponse } from './host-admin.ts';
import type { HostContext } from './host-context.ts';
import { isAuthorized } from './host-keys.ts';
import type { HostKeys } from './host-keys.ts';
import { toHttpData, toResponse } from './http-mapping.ts';
import type { OutgoingResponse } from './http-mapping.ts';
import { bare, headerPairs, keyOf, readBody } from './requests.ts';
import { readTarget, toUrlPath } from './request-target.ts';
import type { RouteMatch } from './route-table.ts';
import type { InvocationOutcome } from './worker-process.ts';

/** Node's own limit of a request's head, above what `readTarget` lets through. */
const MAX_HEAD_BYTES = 262_144;
/** The setting that bounds the body of any request, in bytes. */
const BODY_LIMIT = 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT';

export interface FrontOptions {
  readonly context: HostContext;
  /** Undefined: no key is asked for. */
  readonly keys: HostKeys | undefined;
  /** The workers that take requests now; undefined while the whole app is down. */
  readonly current: () => Generation | undefined;
}

/** 500 for what the function did wrong, and when its worker died: never a word of the fault itself. */
function toAnswer(outcome: InvocationOutcome): OutgoingResponse {
  return outcome.kind === 'succeeded' ? toResponse(outcome.returnValue) : bare(500);
}

/** What the setting says, else what the host itself allows. */
function bodyLimit(context: HostContext): number {
  const given = Number(context.environment()[BODY_LIMIT] ?? '');
  return Number.isInteger(given) && given > 0 ? given : context.knobs.maxBodyBytes;
}

interface Matched {
  readonly match: RouteMatch;
  readonly target: string;
}

async function callFunction(
  options: FrontOptions,
  request: IncomingMessage,
  { match, target }: Matched,
  signal: AbortSignal,
): Promise<OutgoingResponse> {
  if (!isAuthorized(match.target.authLevel, keyOf(request), options.keys)) return bare(401);
  const body = await readBody(request, bodyLimit(options.context));
  if (body === undefined) return { ...bare(500), headers: [['connection', 'close']] };
  const generation = options.current();
  if (generation === undefined) return bare(503);
  const data = toHttpData(
    {
      method: request.method ?? 'GET',
      target,
      headers: headerPairs(request),
      body,
      hasLength: Number(request.headers['content-length'] ?? 0) > 0,
      host: `127.0.0.1:${request.socket.localPort}`,
    },
    match.params,
  );
  const reason = 'This function was programmatically called via the host APIs.';
  const outcome = await generation.pool.run({ name: match.target.name, reason, data }, signal);
  return options.current() === undefined && outcome.kind === 'lost' ? bare(503) : toAnswer(outcome);
}

async function answerTo(
  options: FrontOptions,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<OutgoingResponse> {
  const generation = options.current();
  if (generation === undefined) return bare(503);
  const target = readTarget(request.method ?? 'GET', request.url ?? '/', request.rawHeaders);
  if (target.kind === 'refused') return bare(target.status);
  if (!URL.canParse(`http://${request.headers.host ?? 'localhost'}`)) return bare(400);
  const { path, query } = target;
  if (/^\/admin\/./i.test(path)) return hostAdminResponse({ ...options, generation }, request, path);
  const match = generation.routes.match(request.method ?? 'GET', path);
  if (match !== undefined)
    return callFunction(options, request, { match, target: `${toUrlPath(path)}${query}` }, signal);
  if (/^\/runtime\/webhooks\/./i.test(path))
    return bare(isAuthorized('admin', keyOf(request), options.keys) ? 404 : 401);
  return path === '/' ? homepage(options.context) : bare(404);
}

function homepage(context: HostContext): OutgoingResponse {
  return context.environment()['AzureWebJobsDisableHomepage']?.toLowerCase() === 'true'
    ? bare(204)
    : { ...bare(200), body: Buffer.from('Your Functions app is up and running\n') };
}

function write(response: ServerResponse, answer: OutgoingResponse): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) response.appendHeader(name, value);
  if (answer.isChunked === true && answer.body.byteLength > 0) {
    response.write(answer.body);
    response.end();
    return;
  }
  if (answer.status !== 204 && answer.status !== 304) response.setHeader('content-length', answer.body.byteLength);
  response.end(answer.body);
}

/**
 * The listener that clients see. It reads whole requests and gives whole answers, as the front end does without
 * streaming; a request that has no answer after the idle time gets 504.
 */
export function createFront(options: FrontOptions): Server {
  return createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const cut = setTimeout(() => {
      write(response, bare(504));
      gone.abort();
    }, options.context.knobs.idleCutMs);
    answerTo(options, request, gone.signal)
      .catch((thrown: unknown) => {
        options.context.logs.host('error', 'Front', thrown instanceof Error ? thrown.message : String(thrown));
        return bare(500);
      })
      .then((answer) => write(response, answer))
      .finally(() => clearTimeout(cut))
      .catch(() => response.destroy());
  });
}
