import { randomUUID } from 'node:crypto';
import { withLog } from './current-log.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { invocationLog } from './invocation-log.ts';
import type { InvocationLogger } from './invocation-log.ts';
import { loadDeps, problemTitle } from './load-deps.ts';
import type { LoadedDeps } from './load-deps.ts';
import type { Log } from '../ports/log.ts';

/** What a handler sees of a request; the shape of `HttpRequest`. */
export interface IncomingRequest {
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  text(): Promise<string>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly jsonBody?: Readonly<Record<string, unknown>>;
}

/**
 * Settings, cluster and caller first, in this order and before the handler looks at the body, which the Functions host has
 * read whole by then (`mostBodyBytes` bounds it); then the use case, ended by `deadlineMs`. A bug is a 500 with a correlation id that the log knows too; nothing of it reaches the caller.
 */
export function runHttp(
  request: IncomingRequest,
  context: InvocationLogger,
  deadlineMs: number,
  run: (deps: Deps, cluster: ClusterDeps, signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const log = invocationLog(context);
  return withLog(log, () => answerCaller(request, log, { deadlineMs, run, load: loadDeps }));
}

interface Handler {
  readonly load: () => Promise<LoadedDeps>;
  readonly deadlineMs: number;
  readonly run: (deps: Deps, cluster: ClusterDeps, signal: AbortSignal) => Promise<Answer>;
}

/** `runHttp` with everything handed to it. */
export async function answerCaller(
  request: IncomingRequest,
  log: Log,
  { deadlineMs, run, load }: Handler,
): Promise<Answer> {
  const correlationId = randomUUID();
  try {
    const loaded = await load();
    if (!loaded.ok) {
      log.warn(problemTitle[loaded.problem], { correlationId, faults: loaded.message });
      return unready(loaded.problem, correlationId);
    }
    const signal = loaded.deps.clock.timeout(deadlineMs);
    const { authenticateRelay, mayBeToken } = await import('./authenticate-relay.ts');
    const authorization = request.headers.get('authorization') ?? undefined;
    const now = loaded.deps.clock.wallMs();
    const uid = request.params['cluster'] ?? '';
    const deps = await depsFor(uid, loaded, () => mayBeToken(authorization, now));
    const cluster = deps.clusters.get(uid);
    // An unknown cluster answers as an unknown token does: who may not call learns nothing.
    if (cluster === undefined)
      return problem(401, 'Unauthorized', 'the cluster is not registered with this app, or the token is not of it');
    const identity = await authenticateRelay(cluster, authorization, now, signal);
    switch (identity.kind) {
      case 'relay':
        return await flushed(deps, run(deps, cluster, signal));
      case 'unauthenticated':
        return problem(401, 'Unauthorized', identity.message, { headers: { 'www-authenticate': 'Bearer' } });
      case 'forbidden':
        return problem(403, 'Forbidden', identity.message);
      case 'unavailable':
        return problem(503, 'ServiceUnavailable', identity.message, { headers: { 'retry-after': '2' } });
    }
  } catch (error) {
    log.warn('request failed on a bug', {
      correlationId,
      error: error instanceof Error ? (error.stack ?? error.message) : 'not an Error',
    });
    return problem(500, 'InternalError', `an internal error; the app's log knows it under ${correlationId}`, {
      fields: { correlationId },
    });
  }
}

/** Of a cluster that is not known the registrations are read once more: whoever was registered a moment ago calls at once. */
async function depsFor(
  uid: string,
  { deps, again }: Extract<LoadedDeps, { ok: true }>,
  isWorthIt: () => boolean,
): Promise<Deps> {
  if (deps.clusters.has(uid) || again === undefined || !isWorthIt()) return deps;
  const latest = await again();
  return latest.ok ? latest.deps : deps;
}

/** The log alone names what is wrong: the caller is not known yet. */
const unready = (what: 'settings' | 'registrations', correlationId: string): Answer =>
  what === 'settings'
    ? problem(503, 'SettingsInvalid', `the app's settings are not valid; its log names them under ${correlationId}`, {
        fields: { correlationId },
      })
    : problem(
        503,
        'RegistrationsUnavailable',
        `the app can't read its clusters' registrations; its log says why under ${correlationId}`,
        { fields: { correlationId }, headers: { 'retry-after': '5' } },
      );

async function flushed(deps: Deps, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } finally {
    await deps.telemetry.flush();
  }
}

/** An error as JSON: `{"error":{"code","message",…}}`, the shape of ARM's. */
export function problem(status: number, code: string, message: string, more: Problem = {}): Answer {
  return { status, headers: more.headers ?? {}, jsonBody: { error: { code, message, ...more.fields } } };
}

interface Problem {
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}
