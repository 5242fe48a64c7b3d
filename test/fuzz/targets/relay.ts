import { AppClient } from '../../../infra/cluster/relay/app/app-client.ts';
import { postOutcome } from '../../../infra/cluster/relay/app/post-outcome.ts';
import { readAppLog } from '../../../infra/cluster/relay/kubelet/app-log.ts';
import { nodeAttributes } from '../../../infra/cluster/relay/kubelet/attributes.ts';
import { pathSegments, queryOf } from '../../../infra/cluster/relay/kubelet/request-path.ts';
import { Reviews } from '../../../infra/cluster/relay/kubelet/reviews.ts';
import { findRoute } from '../../../infra/cluster/relay/kubelet/routes.ts';
import { parsePodPage } from '../../../infra/cluster/relay/pods/pod-page.ts';
import { parseWatchEvent } from '../../../infra/cluster/relay/pods/watch-event.ts';
import { parseWatchedPod } from '../../../infra/cluster/relay/pods/watched-pod.ts';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { followCursor, linesAfter } from '../../../shared/core/logs/log-cursor.ts';
import { parseLogQuery } from '../../../shared/core/logs/log-query.ts';
import { selectLogs } from '../../../shared/core/logs/log-selection.ts';
import { parsePodEvents } from '../../../shared/wire/relay-protocol/pod-events.ts';
import type { PodKey } from '../../../shared/wire/relay-protocol/pod-events.ts';
import { noon } from '../../fixtures/pods.ts';
import type { Dice } from '../dice.ts';
import type { Mutator } from '../mutator.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import { podDocument } from './kubernetes-documents.ts';
import { mutateFramed, openWireServer } from './kubernetes-wire.ts';
import type { FramedAnswer, WireServer } from './kubernetes-wire.ts';

/** Lines of a watch and pages of a list: a key that the app takes, or garbage; a page is whole or none. */
export const relayWatch: Target = {
  name: 'relay-watch',
  share: 'relay',
  cases: 6_000,
  testCases: 250,
  open: async () => ({ run: playWatch }),
};

async function playWatch(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = new Secrets();
  const pods = Array.from({ length: dice.pick([0, 1, 2, 3]) }, (_, index) => podDocument(`${index}`, secrets));
  const event = { type: dice.pick(['ADDED', 'MODIFIED', 'DELETED']), object: podDocument('p', secrets) };
  const isList = dice.chance(0.5);
  const list = { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '9', continue: '' }, items: pods };
  const text = mutator.json(isList ? 'list' : 'line', isList ? list : event).toString('utf8');
  one.show = () => secrets.mask(text);
  if (isList) {
    const page = parsePodPage(jsonOf(text), 'aci-1');
    const items: unknown = (jsonOf(text) as { readonly items?: unknown } | undefined)?.items;
    const isWhole = page === undefined || (Array.isArray(items) && items.length === page.pods.length);
    const faults = [
      ...(isWhole ? [] : ['a page that is not the whole list']),
      ...keyFaults(
        (page?.pods ?? []).map(({ key }) => key),
        secrets,
      ),
    ];
    return { outcome: page === undefined ? 'garbage' : 'page', faults };
  }
  const parsed = parseWatchEvent(text);
  const pod = 'object' in parsed ? parseWatchedPod(parsed.object, 'aci-1') : undefined;
  const reported = parsed.kind === 'error' ? secrets.findIn('an error', parsed.message) : [];
  return {
    outcome: pod === undefined ? parsed.kind : 'pod',
    faults: [...reported, ...keyFaults(pod === undefined ? [] : [pod.key], secrets)],
  };
}

/** One key that the app refuses would take all others of its post with it. */
function keyFaults(pods: readonly PodKey[], secrets: Secrets): readonly string[] {
  const body = JSON.stringify({ epoch: 'e', seq: 0, kind: 'delta', pods });
  const parsed = parsePodEvents(body);
  return [
    ...(parsed.ok
      ? []
      : parsed.faults.map(({ field, message }) => `the app will refuse the post: ${field}: ${message}`)),
    ...secrets.findIn('a post', body),
  ];
}

/** The app's answers over a socket: no wait without an end, and nothing taken for an answer that is none. */
export const relayApp: Target = {
  name: 'relay-app',
  share: 'relay',
  cases: 2_500,
  testCases: 100,
  open: async () => {
    const server = await openWireServer();
    const app = new AppClient({
      url: server.url,
      caFile: undefined,
      getToken: async () => 'token-of-relay',
      clusterUid: 'uid',
      userAgent: 'fuzz/1',
    });
    return {
      run: (one) => playApp(one, server, app),
      close: async () => {
        app.close();
        await server.close();
      },
    };
  },
};

const longestWaitMs = 3_600_000;

async function playApp(one: Case, server: WireServer, app: AppClient): Promise<CaseReport> {
  const { dice, mutator } = one;
  const isLog = dice.chance(0.3);
  const taken = {
    now: '2026-11-23T12:00:00.000Z',
    nextLookAt: '2026-11-23T12:00:09.000Z',
    unknownNodes: ['x'],
    removedNodes: [],
  };
  const refused = { error: { code: 'ServiceUnavailable', message: 'the cluster could not be asked' } };
  const isFine = dice.chance(0.7);
  const body = isFine ? (isLog ? '2026-11-23T12:00:00Z hello\n' : taken) : refused;
  const answer = mutateFramed({ status: isFine ? 200 : dice.pick([400, 401, 404, 409, 429, 503]), body }, mutator);
  one.show = () => JSON.stringify({ ...answer, body: answer.body.toString('utf8') });
  server.answer = () => answer;
  if (isLog) {
    const target = { node: 'aci-1', namespace: 'default', pod: 'p', uid: 'u', container: 'main' };
    const log = readAppLog(await app.getLogs(target, signal), 'p', 'main');
    const status = log.kind === 'refused' ? log.status : 200;
    return { outcome: `log ${status}`, faults: log.kind === 'refused' ? waitFaults(log.retryAfterMs) : [] };
  }
  const outcome = postOutcome(await app.postEvents('{}', signal));
  const isSuccess = answer.status >= 200 && answer.status < 300;
  switch (outcome.kind) {
    case 'taken':
      return {
        outcome: outcome.kind,
        faults: [
          ...(isSuccess ? [] : [`taken by ${answer.status}`]),
          ...(outcome.nextTickInMs >= 1_000 && outcome.nextTickInMs <= 30_000
            ? []
            : [`the next poll is in ${outcome.nextTickInMs} ms`]),
        ],
      };
    case 'again':
      return { outcome: outcome.kind, faults: waitFaults(outcome.retryAfterMs) };
    case 'refused':
      return { outcome: outcome.kind, faults: isSuccess ? ['a success is a refusal'] : [] };
  }
}

const waitFaults = (ms: number | undefined): readonly string[] =>
  ms === undefined || (ms >= 0 && ms <= longestWaitMs) ? [] : [`a wait of ${ms} ms`];

/** Requests to the kubelet port, as far as their text decides: what is authorized is what is routed. */
export const relayPort: Target = {
  name: 'relay-port',
  share: 'relay',
  cases: 6_000,
  testCases: 250,
  open: async () => ({ run: playPort }),
};

const paths = [
  '/containerLogs/default/p/main',
  '/pods',
  '/pods/',
  '/healthz/ping',
  '/exec/default/p/main',
  '/portForward/default/p',
  '/stats/summary',
  '/metrics/cadvisor',
  '/run/default/p/main',
];
const query = 'follow=true&tailLines=5&sinceSeconds=10&timestamps=1&limitBytes=100&previous=false';

/** One parameter with a strange value. */
function queryOfOne(dice: Dice, mutator: Mutator): string {
  const name = dice.pick(['tailLines', 'sinceSeconds', 'sinceTime', 'limitBytes', 'follow', 'tail', 'stream', 'x']);
  const good = name === 'sinceTime' ? '2026-11-23T12:00:05Z' : '5';
  return `${name}=${encodeURIComponent(mutator.text(name, good).toWellFormed())}`;
}

async function playPort(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const path = dice.pick(paths);
  const bent = dice.chance(0.3) ? mutator.text('path', path) : path;
  const url = `${bent}?${dice.chance(0.5) ? mutator.text('query', query) : queryOfOne(dice, mutator)}`;
  const method = dice.pick(['GET', 'GET', 'POST', 'PUT', 'HEAD', 'get', 'PROPFIND', '__proto__', 'constructor']);
  const log = mutator
    .bytes('log', Buffer.from('2026-11-23T12:00:05.1Z hello\n2026-11-23T12:00:06Z you\nplain\n'))
    .toString('utf8');
  one.show = () => JSON.stringify({ method, url, log });
  const segments = pathSegments(url);
  if (segments === undefined) return { outcome: 'no path', faults: [] };
  const attributes = nodeAttributes(method, segments);
  const route = findRoute(method, segments);
  const runs = ['exec', 'attach', 'portForward', 'run'].includes(segments[0] ?? '');
  const options = parseLogQuery(queryOf(url));
  const faults = [
    ...(runs && attributes.verb !== 'create' ? ['what runs something asks for no create'] : []),
    ...(attributes.subresources.length === 0 ? ['nothing is asked of the authorizer'] : []),
    ...(typeof attributes.verb === 'string' ? [] : ['a verb that is no word']),
    ...(segments.some((segment) => segment === '..' || segment.includes('/')) ? ['a path that leaves its place'] : []),
    ...(options.ok ? logFaults(log, options.options) : []),
  ];
  return { outcome: `${route.kind}${options.ok ? '' : ` ${options.status}`}`, faults };
}

function logFaults(log: string, options: Parameters<typeof selectLogs>[1]): readonly string[] {
  const unreal = Object.values(options).some((value) => Number.isNaN(value));
  const shown = selectLogs(log, options, noon);
  const cursor = followCursor(log);
  const more = linesAfter(`${log}2026-11-23T12:00:09Z more\n`, cursor).text;
  const { limitBytes } = options;
  return [
    ...(unreal ? ['an option that is no number'] : []),
    ...(limitBytes !== undefined && Buffer.byteLength(shown) > limitBytes ? ['more bytes than wanted'] : []),
    ...(linesAfter(log, cursor).text === '' ? [] : ['a line is shown twice']),
    ...(more.includes('more') ? [] : ['a new line is not shown']),
  ];
}

/** Who calls the port and what he may: nobody is let in by garbage. */
export const relayReviews: Target = {
  name: 'relay-reviews',
  share: 'relay',
  cases: 2_500,
  testCases: 100,
  open: async () => {
    const server = await openWireServer();
    const client = createKubernetesClient({
      server: server.url,
      getToken: async () => 'token-of-relay',
      requestTimeoutMs: 5_000,
      userAgent: 'fuzz/1',
    });
    return {
      run: (one) => playReview(one, server, new Reviews(client)),
      close: async () => {
        client.close();
        await server.close();
      },
    };
  },
};

async function playReview(one: Case, server: WireServer, reviews: Reviews): Promise<CaseReport> {
  const { dice, mutator } = one;
  const isToken = dice.chance(0.5);
  const isGood = dice.chance(0.6);
  const user = { username: 'u', uid: '1', groups: ['g'], extra: { a: ['b'] } };
  const body = isToken
    ? { kind: 'TokenReview', status: isGood ? { authenticated: true, user } : { user, error: 'no' } }
    : { kind: 'SubjectAccessReview', status: { allowed: isGood, denied: !isGood, reason: 'RBAC' } };
  const answer = mutateFramed({ status: 201, body }, mutator);
  one.show = () => JSON.stringify({ ...answer, body: answer.body.toString('utf8') });
  server.answer = () => answer;
  const said = saysYes(answer, isToken ? 'authenticated' : 'allowed');
  const isIn = isToken ? await isKnown(reviews) : await isAllowed(reviews);
  return {
    outcome: `${isToken ? 'token' : 'access'} ${isIn ? 'yes' : 'no'}`,
    faults: isIn && !said ? ['let in by garbage'] : [],
  };
}

const { signal } = new AbortController();

async function isKnown(reviews: Reviews): Promise<boolean> {
  const reviewed = await reviews.reviewToken('t', signal);
  return reviewed.ok && reviewed.value !== undefined;
}

async function isAllowed(reviews: Reviews): Promise<boolean> {
  const user = { name: 'u', uid: '', groups: [], extra: {} };
  const allowed = await reviews.isAllowed(user, 'aci-1', nodeAttributes('GET', ['pods']), signal);
  return allowed.ok && allowed.value;
}

/** Whether the answer's own text has the word, as a boolean where it belongs. */
function saysYes({ body, framing }: FramedAnswer, word: 'authenticated' | 'allowed'): boolean {
  const read = jsonOf(body.subarray(0, framing === 'long' ? Math.max(0, body.length - 5) : undefined).toString('utf8'));
  const review = read as { readonly status?: Readonly<Record<string, unknown>> | null } | null | undefined;
  return review?.status?.[word] === true;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
