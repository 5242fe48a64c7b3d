import { randomUUID } from 'node:crypto';
import { sleep } from './clock.ts';
import { frontDoor, isFault } from './errors.ts';
import type { ArmFault } from './errors.ts';
import type { FaultRule } from './faults.ts';
import { handlers } from './handlers.ts';
import type { ArmRequest, ArmResponse, Json } from './json.ts';
import { isAllowed } from './rbac.ts';
import type { Principal } from './rbac.ts';
import { matchRoute } from './routes.ts';
import type { MatchedRoute, OperationName } from './routes.ts';
import { reply } from './state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from './state.ts';

/** api-versions that container groups answer to. */
const groupVersions: readonly string[] = [
  '2018-10-01',
  '2019-12-01',
  '2021-10-01',
  '2023-05-01',
  '2024-05-01-preview',
  '2025-09-01',
];

interface Handled {
  readonly outcome: HandlerAnswer;
  readonly principal: Principal | undefined;
  readonly action: string | undefined;
}

/**
 * ARM's front door: injected faults, token, api-version, routing, authorization, throttling, resource group; then the
 * operation. Every answer carries ARM's standard headers and leaves one line in the journal.
 */
export async function answerArm(state: EmulatorState, request: ArmRequest): Promise<ArmResponse> {
  const began = state.clock.now();
  const rule = state.faults.take('arm', request.method, request.url);
  const delayMs = state.options.latencyMs + (rule?.delayMs ?? 0);
  if (delayMs > 0) await sleep(state.clock, delayMs);
  const injected = injectedAnswer(rule);
  const before =
    rule?.drop === 'before' || (injected !== undefined && rule?.afterEffect === false && rule.drop === undefined);
  const handled = before ? unhandled(state, request) : await handle(state, request, rule);
  const response = rule?.drop === undefined ? finishResponse(state, request, injected ?? handled.outcome) : dropped;
  state.journal.requests.add({
    time: new Date(began).toISOString(),
    principal: handled.principal?.clientId,
    method: request.method,
    path: request.url.replace(/&t=.*$/, ''),
    action: handled.action,
    status: response.status,
    code: errorCode(response.body),
    injected: rule !== undefined,
    durationMs: state.clock.now() - began,
  });
  return response;
}

const dropped: ArmResponse = { status: 0, headers: {}, drop: true };

type Injected = ArmFault | (ArmResponse & { readonly kind: 'raw' });

function injectedAnswer(rule: FaultRule | undefined): Injected | undefined {
  if (rule?.body !== undefined) {
    const headers = { 'Content-Type': rule.contentType ?? 'text/html' };
    return { kind: 'raw', status: rule.status ?? 200, headers, rawBody: rule.body };
  }
  if (rule?.status === undefined) return undefined;
  const retry = rule.retryAfterSeconds;
  return {
    kind: 'arm-fault',
    status: rule.status,
    code: rule.code ?? 'InternalServerError',
    message: rule.message ?? 'Injected by the emulator.',
    ...(retry === undefined ? {} : { headers: { 'Retry-After': String(retry) } }),
  };
}

function unhandled(state: EmulatorState, request: ArmRequest): Handled {
  const path = request.url.split('?')[0] ?? '';
  const action = matchRoute(request.method, path)?.route.action;
  return { outcome: reply(200), principal: authenticate(state, request), action };
}

async function handle(state: EmulatorState, request: ArmRequest, rule: FaultRule | undefined): Promise<Handled> {
  const url = new URL(request.url, 'https://arm');
  const principal = authenticate(state, request);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const matched = matchRoute(method, url.pathname);
  const action = matched?.route.action;
  if (principal === undefined)
    return { outcome: frontDoor.invalidToken('https://login.microsoftonline.com/'), principal, action };
  const apiVersion = url.searchParams.get('api-version') ?? '';
  const refusal = admit(state, { url, apiVersion, principal, matched });
  if (isFault(refusal)) return { outcome: refusal, principal, action };
  const { route, params } = refusal.matched;
  const call = { request, params, query: url.searchParams, apiVersion, principal, capacity: rule?.capacity };
  const outcome = await perform(state, route.operation, call);
  return { outcome: { ...outcome, headers: { ...refusal.headers, ...outcome.headers } }, principal, action };
}

/** Trouble behind an operation (of the runtime, mostly) is ARM's 500. */
async function perform(state: EmulatorState, operation: OperationName, call: ArmCall): Promise<HandlerAnswer> {
  try {
    return await handlers[operation](state, call);
  } catch (error) {
    state.life.log(`${operation}: ${error instanceof Error ? error.message : String(error)}`);
    return frontDoor.internal(randomUUID());
  }
}

function authenticate(state: EmulatorState, request: ArmRequest): Principal | undefined {
  const token = /^Bearer (\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
  return token === undefined ? undefined : state.tokens.verify(token, state.isAudience);
}

interface Knock {
  readonly url: URL;
  readonly apiVersion: string;
  readonly principal: Principal;
  readonly matched: MatchedRoute | undefined;
}

interface Admitted {
  readonly matched: MatchedRoute;
  readonly headers: Readonly<Record<string, string>>;
}

function admit(state: EmulatorState, knock: Knock): Admitted | ArmFault {
  const { apiVersion, principal, matched, url } = knock;
  if (apiVersion === '') return frontDoor.missingApiVersion();
  if (matched === undefined) return frontDoor.invalidResourceType(url.pathname, apiVersion);
  const { route, params, scope } = matched;
  if (params['sub'] !== undefined && params['sub'].toLowerCase() !== state.subscriptionId.toLowerCase())
    return frontDoor.subscriptionNotFound(params['sub']);
  const allowed = isAllowed(principal, route.action, scope);
  state.journal.needed(principal.clientId, route.action, allowed);
  if (!allowed) return frontDoor.authorizationFailed(principal.clientId, principal.objectId, route.action, scope);
  const token = state.limits.spend(route.bucket, `${principal.objectId}/${params['sub'] ?? ''}`);
  if (isFault(token)) return token;
  if (route.anyVersion !== true && !groupVersions.includes(apiVersion))
    return frontDoor.noRegisteredProvider(state.locations[0] ?? '', apiVersion, groupVersions);
  if (params['rg'] !== undefined && !state.resourceGroups.has(params['rg'].toLowerCase()))
    return frontDoor.resourceGroupNotFound(params['rg']);
  if (route.resourceRequest === undefined) return { matched, headers: token.headers };
  const counted = state.limits.spendResourceRequest(state.subscriptionId, route.resourceRequest);
  return isFault(counted) ? counted : { matched, headers: { ...token.headers, ...counted.headers } };
}

const standardHeaders = {
  'Cache-Control': 'no-cache',
  Pragma: 'no-cache',
  Expires: '-1',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
} as const;

function finishResponse(state: EmulatorState, request: ArmRequest, outcome: HandlerAnswer | Injected): ArmResponse {
  const correlation = randomUUID();
  const stamp = new Date(state.clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const clientId = request.headers['x-ms-client-request-id'];
  const echo = request.headers['x-ms-return-client-request-id'] === 'true' && clientId !== undefined;
  const headers: Record<string, string> = {
    ...standardHeaders,
    'x-ms-request-id': correlation,
    'x-ms-correlation-request-id': correlation,
    'x-ms-routing-request-id': `${(state.locations[0] ?? '').toUpperCase()}:${stamp}:${correlation}`,
    ...(echo ? { 'x-ms-client-request-id': clientId } : {}),
    ...(request.method === 'GET' ? { Vary: 'Accept-Encoding' } : {}),
    ...outcome.headers,
  };
  if (outcome.kind === 'raw') return { status: outcome.status, headers, rawBody: outcome.rawBody ?? '' };
  const body = isFault(outcome) ? { error: { code: outcome.code, message: outcome.message } } : outcome.body;
  if (isFault(outcome) && outcome.gateway === true) headers['x-ms-failure-cause'] = 'gateway';
  if (body === undefined || request.method === 'HEAD') return { status: outcome.status, headers };
  headers['Content-Type'] = 'application/json; charset=utf-8';
  return { status: outcome.status, headers, body };
}

function errorCode(body: Json | undefined): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
