import type { KubeletHandler } from './call.ts';
import { attach } from './handlers/attach.ts';
import { containerLogs } from './handlers/container-logs.ts';
import { exec } from './handlers/exec.ts';
import { healthz } from './handlers/healthz.ts';
import { probeMetrics, resourceMetrics, statsSummary } from './handlers/metrics.ts';
import { notServed } from './handlers/not-served.ts';
import { pods } from './handlers/pods.ts';
import { portForward } from './handlers/port-forward.ts';
import { sessionDial } from './handlers/session-dial.ts';
import { pathSegments } from './request-path.ts';

interface Route {
  /** `{name}` is a parameter; `*` at the end is any rest, none included. */
  readonly pattern: string;
  readonly methods: readonly string[];
  readonly handler: KubeletHandler;
}

export type RouteMatch =
  | { readonly kind: 'found'; readonly handler: KubeletHandler; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'method not allowed'; readonly allow: string }
  | { readonly kind: 'not found' };

const get = ['GET'];
const stream = ['GET', 'POST'];
const post = ['POST'];

/** A kubelet's routes, and one for `doctor`; one handler a file. */
const routes: readonly Route[] = [
  { pattern: 'healthz', methods: get, handler: healthz },
  { pattern: 'healthz/ping', methods: get, handler: healthz },
  { pattern: 'healthz/log', methods: get, handler: healthz },
  { pattern: 'healthz/syncloop', methods: get, handler: healthz },
  { pattern: 'pods', methods: get, handler: pods },
  { pattern: 'containerLogs/{namespace}/{pod}/{container}', methods: get, handler: containerLogs },
  { pattern: 'exec/{namespace}/{pod}/{container}', methods: stream, handler: exec },
  { pattern: 'exec/{namespace}/{pod}/{uid}/{container}', methods: stream, handler: exec },
  { pattern: 'attach/{namespace}/{pod}/{container}', methods: stream, handler: attach },
  { pattern: 'attach/{namespace}/{pod}/{uid}/{container}', methods: stream, handler: attach },
  { pattern: 'portForward/{namespace}/{pod}', methods: stream, handler: portForward },
  { pattern: 'portForward/{namespace}/{pod}/{uid}', methods: stream, handler: portForward },
  { pattern: 'sessionDial/{namespace}/{pod}/{container}', methods: get, handler: sessionDial },
  { pattern: 'run/*', methods: post, handler: notServed('run') },
  { pattern: 'stats/summary', methods: get, handler: statsSummary },
  { pattern: 'metrics/resource', methods: get, handler: resourceMetrics },
  { pattern: 'metrics/probes', methods: get, handler: probeMetrics },
  { pattern: 'metrics/*', methods: get, handler: notServed('metrics') },
  { pattern: 'checkpoint/*', methods: post, handler: notServed('checkpoint') },
];

const names = new Set(routes.map(({ pattern }) => pattern.split(/[/*]/, 1)[0] ?? ''));

/** The first part of a request's path where a route has it, else `other`: few enough for a label. */
export function routeName(url: string): string {
  const [name = ''] = pathSegments(url) ?? [];
  return names.has(name) ? name : 'other';
}

/** What the leader alone can answer, and so the other replicas ask it for. */
export const isForPeers = (method: string, [first, second, ...rest]: readonly string[]): boolean =>
  method === 'GET' && rest.length === 0 && measured.has(`${first}/${second}`);

const measured: ReadonlySet<string> = new Set(['stats/summary', 'metrics/resource', 'metrics/probes']);

/** Who answers a request. */
export function findRoute(method: string, segments: readonly string[]): RouteMatch {
  for (const { pattern, methods, handler } of routes) {
    const params = matchPattern(pattern.split('/'), segments);
    if (params === undefined) continue;
    return methods.includes(method)
      ? { kind: 'found', handler, params }
      : { kind: 'method not allowed', allow: methods.join(', ') };
  }
  return { kind: 'not found' };
}

function matchPattern(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const isOpen = pattern.at(-1) === '*';
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  if (segments.length < fixed.length || (!isOpen && segments.length > fixed.length)) return undefined;
  const params: [string, string][] = [];
  for (const [index, part] of fixed.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{')) params.push([part.slice(1, -1), segment]);
    else if (part !== segment) return undefined;
  }
  return Object.fromEntries(params);
}
