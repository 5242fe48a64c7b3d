import type { IncomingMessage } from 'node:http';
import { HOST_VERSION } from './core-api.ts';
import type { Generation, IndexedFunction } from './generation.ts';
import type { HostContext } from './host-context.ts';
import { isAuthorized } from './host-keys.ts';
import type { HostKeys } from './host-keys.ts';
import type { OutgoingResponse } from './http-mapping.ts';
import { bare, keyOf } from './requests.ts';

export interface HostAdminOptions {
  readonly context: HostContext;
  readonly keys: HostKeys | undefined;
  readonly generation: Generation;
}

const CALLS: ReadonlySet<string> = new Set(['GET host/status', 'GET functions', 'POST host/drain']);

function json(status: number, value: unknown): OutgoingResponse {
  return {
    status,
    headers: [['content-type', 'application/json; charset=utf-8']],
    body: Buffer.from(JSON.stringify(value)),
  };
}

function describe({ definition, isDisabled }: IndexedFunction, context: HostContext): object {
  const prefix = context.hostJson.routePrefix === '' ? '' : `/${context.hostJson.routePrefix}`;
  const host = context.environment()['WEBSITE_HOSTNAME'] ?? 'localhost';
  return {
    name: definition.name,
    language: 'node',
    isDisabled,
    config: definition.kind === 'timer' ? { schedule: definition.schedule } : {},
    invoke_url_template: definition.kind === 'http' ? `http://${host}${prefix}/${definition.route}` : null,
  };
}

/** A manual run: answered 202 before it ends, as the platform does; 404 for a function that has no timer here. */
function runNow(generation: Generation, name: string): OutgoingResponse {
  const timer = generation.timers.find((one) => one.definition.name.toLowerCase() === name.toLowerCase());
  if (timer === undefined) return bare(404);
  void timer.runNow();
  return bare(202);
}

/** Answers the paths under `/admin` of the app's own port. All but the ping ask for the master key. */
export function hostAdminResponse(options: HostAdminOptions, request: IncomingMessage, path: string): OutgoingResponse {
  const parts = path.toLowerCase().split('/').filter(Boolean).slice(1);
  if (parts.join('/') === 'host/ping') return bare(200);
  const name = path.split('/').filter(Boolean)[2];
  const call = `${request.method ?? 'GET'} ${parts.join('/')}`;
  const isRun = request.method === 'POST' && parts[0] === 'functions' && parts.length === 2 && name !== undefined;
  if (!CALLS.has(call) && !isRun) return bare(404);
  if (!isAuthorized('admin', keyOf(request), options.keys))
    // A key of less is known, and may not.
    return bare(isAuthorized('function', keyOf(request), options.keys) ? 403 : 401);
  const { context, generation } = options;
  if (isRun) return runNow(generation, decodeURIComponent(name));
  if (call === 'POST host/drain') {
    generation.drainTimers();
    return bare(202);
  }
  if (call === 'GET host/status') {
    const processUptime = Math.round(process.uptime() * 1000);
    return json(200, {
      id: 'localhost',
      state: 'Running',
      version: HOST_VERSION,
      versionDetails: HOST_VERSION,
      processUptime,
    });
  }
  return json(
    200,
    generation.functions.map((one) => describe(one, context)),
  );
}
