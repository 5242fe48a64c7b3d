import { keyOf } from '../../infra/local/sim/pods/pod-key.ts';
import { describe, expect, it } from 'vitest';
import { answerContainer } from '../../shared/app/answer-container.ts';
import { answerContainerLogs } from '../../shared/app/answer-container-logs.ts';
import { answerPodEvents } from '../../shared/app/answer-pod-events.ts';
import { answerCaller } from '../../shared/app/run-http.ts';
import type { Answer, IncomingRequest } from '../../shared/app/run-http.ts';
import { clusterUid } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const { signal } = new AbortController();

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: string;
}

const request = ({ headers = {}, params = {}, query = '', body = '' }: RequestParts): IncomingRequest => ({
  headers: new Headers(headers),
  params,
  query: new URLSearchParams(query),
  text: async () => body,
});

const json = { 'content-type': 'application/json' };
const eventsBody = (world: World): string =>
  JSON.stringify({ epoch: 'e', seq: 1, kind: 'delta', pods: world.cluster.pods.list().map(keyOf) });
const events = (world: World, parts: RequestParts): Promise<Answer> =>
  answerPodEvents(world.deps, world.clusterDeps(), request(parts), signal);
const said = (answer: Answer): string => JSON.stringify(answer.jsonBody ?? answer.body);

describe('POST pod-events', () => {
  it('answers 200 with both times when all is done', async () => {
    const world = await createWorld();
    world.createPod('exits-0');
    const answer = await events(world, {
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: eventsBody(world),
    });
    expect(answer).toMatchObject({ status: 200, jsonBody: { now: '2026-11-23T12:00:00.000Z', unknownNodes: [] } });
    expect(world.groups.puts()).toHaveLength(1);
  });

  const good = { epoch: 'e', seq: 1, kind: 'delta', pods: [] };
  it.each([
    { it: 'no content type', parts: { body: '{}' }, status: 415, says: 'application/json' },
    {
      it: 'another content type',
      parts: { headers: { 'content-type': 'text/plain' }, body: '{}' },
      status: 415,
      says: 'application/json',
    },
    {
      it: 'a type that only begins alike',
      parts: { headers: { 'content-type': 'application/json-patch+json' }, body: JSON.stringify(good) },
      status: 415,
      says: 'application/json',
    },
    {
      it: 'a length above the limit',
      parts: { headers: { ...json, 'content-length': '800001' }, body: '' },
      status: 413,
      says: '800000',
    },
    {
      it: 'a body above the limit without a length',
      parts: { headers: json, body: ' '.repeat(800_001) },
      status: 413,
      says: '800000',
    },
    { it: 'no JSON', parts: { headers: json, body: '{' }, status: 400, says: 'not JSON' },
    { it: 'an empty body', parts: { headers: json, body: '' }, status: 400, says: 'not JSON' },
    {
      it: 'an unknown kind',
      parts: { headers: json, body: JSON.stringify({ ...good, kind: 'all' }) },
      status: 400,
      says: '"field":"kind"',
    },
    {
      it: 'a pod without a UID',
      parts: { headers: json, body: JSON.stringify({ ...good, pods: [{ node: 'n' }] }) },
      status: 400,
      says: '"field":"pods.0.uid"',
    },
    {
      it: 'a member nobody knows',
      parts: { headers: json, body: JSON.stringify({ ...good, spec: {} }) },
      status: 400,
      says: 'spec',
    },
  ])('$it: $status, and nothing changes', async ({ parts, status, says }) => {
    const world = await createWorld();
    world.calls.length = 0;
    const answer = await events(world, parts);
    expect(answer.status).toBe(status);
    expect(said(answer)).toContain(says);
    expect(world.calls).toEqual([]);
  });

  it("the Node declares what the relay's ports serve, as long as they do, and though the rows are lost", async () => {
    const world = await createWorld();
    const declared = (): readonly string[] | undefined => {
      const node = world.cluster.nodes.get('aci-1');
      return node.ok ? node.value.status.declaredFeatures : undefined;
    };
    const post = async (features: string | undefined): Promise<void> => {
      world.now += 16_000;
      const served = features === undefined ? {} : { 'x-serverless-kubelet-features': features };
      const body = JSON.stringify({ epoch: 'e', seq: 1, kind: 'tick', pods: [] });
      await events(world, { headers: { ...json, ...served }, body });
    };
    await post(undefined);
    expect(declared()).toEqual([]);
    await post('Unheard, ExtendWebSocketsToKubelet, ExtendWebSocketsToKubelet');
    expect(declared()).toEqual(['ExtendWebSocketsToKubelet']);
    world.store.clear();
    world.now += 301_000;
    await world.beat();
    expect(world.deps.withoutFeatures.size).toBe(0);
    expect(declared()).toEqual(['ExtendWebSocketsToKubelet']);
    await post('');
    expect(declared()).toEqual([]);
  });

  it('answers 503 with Retry-After when nothing could be planned', async () => {
    const world = await createWorld();
    world.createPod('exits-0');
    const broken = { ok: false, fault: { kind: 'transient', message: 'no table' } } as const;
    world.deps = { ...world.deps, store: { ...world.store, getPod: async () => broken } };
    const answer = await events(world, { headers: json, body: eventsBody(world) });
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  });
});

const ofPod = (world: World) => ({
  node: 'aci-1',
  namespace: 'default',
  pod: 'p',
  uid: world.pod()?.metadata.uid ?? '',
  container: 'main',
});
const running = async (): Promise<World> => {
  const world = await createWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }] });
  world.createPod('serves');
  await world.run(30);
  return world;
};

describe('GET container logs', () => {
  const logs = (world: World, params: Readonly<Record<string, string>>, query = ''): Promise<Answer> =>
    answerContainerLogs(world.deps, world.clusterDeps(), request({ params, query }), signal);
  it('gives the text', async () => {
    const world = await running();
    expect(await logs(world, ofPod(world), 'tail=10')).toMatchObject({
      status: 200,
      body: '2026-11-23T12:00:05Z hello\n',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  });

  it('finds the group by its tags when the rows are lost', async () => {
    const world = await running();
    world.store.clear();
    expect(await logs(world, ofPod(world))).toMatchObject({ status: 200 });
  });

  it.each([
    { it: 'a node nobody registered', params: { node: 'vm-1' }, status: 404, code: 'NodeNotFound' },
    {
      it: 'the pod of another node, asked for on this one',
      params: { node: 'aci-2' },
      status: 404,
      code: 'PodNotFound',
    },
    { it: 'a UID that is not its', params: { uid: 'u-2' }, status: 404, code: 'ResourceNotFound' },
    { it: 'another name with its UID', params: { pod: 'q' }, status: 404, code: 'PodNotFound' },
    {
      it: 'a name that only its group could not report from it',
      params: { pod: 'P#' },
      status: 404,
      code: 'PodNotFound',
    },
    { it: 'such a namespace', params: { namespace: '%default' }, status: 404, code: 'PodNotFound' },
    { it: 'a container that it has not', params: { container: 'x' }, status: 404, code: 'ContainerLogNotAvailable' },
  ])('$it: $status', async ({ params, status, code }) => {
    const world = await running();
    const answer = await logs(world, { ...ofPod(world), ...params });
    expect(answer).toMatchObject({ status, jsonBody: { error: { code } } });
  });

  it('of a name that only its group could not report from it are not readable by the tags either', async () => {
    const world = await running();
    world.store.clear();
    expect(await logs(world, { ...ofPod(world), pod: 'P#' })).toMatchObject({ status: 404 });
  });

  it('of another cluster’s pod are not readable, even by its true UID and name', async () => {
    const world = await running();
    const { uid = '' } = world.pod()?.metadata ?? {};
    const group = world.groups.readGroup(world.groups.names()[0] ?? '');
    if (group === undefined) throw new Error('no group');
    world.store.clear();
    world.groups.removeGroup(group.name);
    const tags = { ...group.body.tags, 'kubernetes-cluster': 'another' };
    world.groups.addGroup({ name: group.name, body: { ...group.body, tags } });
    expect(await logs(world, { ...ofPod(world), uid })).toMatchObject({ status: 404 });
  });

  it.each(['..', '.', 'a/b', 'A', '', 'x'.repeat(64)])('container %j: 400, and ARM is not asked', async (container) => {
    const world = await running();
    const reads = await world.count('groups.', async () =>
      expect(await logs(world, { ...ofPod(world), container })).toMatchObject({ status: 400 }),
    );
    expect(reads).toBe(0);
  });

  it.each(['-1', 'x', '1e3', '9999999999'])('tail=%s: 400', async (tail) => {
    const world = await running();
    expect(await logs(world, ofPod(world), `tail=${tail}`)).toMatchObject({ status: 400 });
  });

  it.each([
    {
      fault: { kind: 'throttled', retryAfterMs: 1_500, message: 'm' } as const,
      status: 429,
      headers: { 'retry-after': '2' },
    },
    { fault: { kind: 'transient', message: 'm' } as const, status: 503, headers: { 'retry-after': '2' } },
    { fault: { kind: 'conflict', code: 'c', message: 'm' } as const, status: 409, headers: {} },
    { fault: { kind: 'denied', code: 'c', message: 'm' } as const, status: 502, headers: {} },
  ])('ARM says $fault.kind: $status', async ({ fault, status, headers }) => {
    const world = await running();
    world.groups.inject({ method: 'listLogs', moment: 'before', fault });
    expect(await logs(world, ofPod(world))).toMatchObject({ status, headers });
  });
});

describe('POST exec and attach', () => {
  const size = { terminalSize: { columns: 100, rows: 30 } };
  const post = (world: World, part: string, parts: RequestParts): Promise<Answer> => {
    const { params = {}, body = JSON.stringify(size), ...others } = parts;
    const asked = { ...request({ ...others, body, params: { ...params, part } }), method: 'POST' };
    return answerContainer(world.deps, world.clusterDeps(), asked, signal);
  };
  it.each([
    ['exec', 'shell', 'execstream'],
    ['attach', 'output', 'logstream'],
  ])('%s: a session, what is at its far end, and nothing that a cache may keep', async (part, farEnd, path) => {
    const world = await running();
    expect(await post(world, part, { params: ofPod(world) })).toEqual({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      jsonBody: {
        webSocketUri: `wss://aci.memory:19390/${path}/sessionId/1?api-version=1.0`,
        password: 'memory-password-1',
        farEnd,
      },
    });
  });

  it('finds the group by its tags when the rows are lost, and changes nothing', async () => {
    const world = await running();
    world.store.clear();
    const reads = await world.count('groups.', async () =>
      expect(await post(world, 'exec', { params: ofPod(world) })).toMatchObject({ status: 200 }),
    );
    expect(reads).toBe(2);
    expect(world.rows()).toEqual([]);
    expect(world.groups.puts()).toHaveLength(1);
  });

  it.each([
    { it: 'a node nobody registered', params: { node: 'vm-1' }, status: 404, code: 'NodeNotFound' },
    { it: 'the pod of another node', params: { node: 'aci-2' }, status: 404, code: 'PodNotFound' },
    { it: 'a UID that is not its', params: { uid: 'u-2' }, status: 404, code: 'ResourceNotFound' },
    { it: 'another name with its UID', params: { pod: 'q' }, status: 404, code: 'PodNotFound' },
    { it: 'a container that it has not', params: { container: 'x' }, status: 404, code: 'ResourceNotFound' },
    { it: 'a way out of the container', params: { container: '..' }, status: 400, code: 'BadRequest' },
  ])('$it: $status', async ({ params, status, code }) => {
    const world = await running();
    for (const part of ['exec', 'attach']) {
      const answer = await post(world, part, { params: { ...ofPod(world), ...params } });
      expect(answer).toMatchObject({ status, jsonBody: { error: { code } } });
    }
  });

  it('of a group that was deleted: 404, and ARM is not asked', async () => {
    const world = await running();
    const row = world.rows()[0];
    if (row === undefined) throw new Error('no row');
    const deleted = { ok: true, value: { value: { ...row, intent: { kind: 'deleted', at: 0 } }, etag: 'e' } } as const;
    world.deps = { ...world.deps, store: { ...world.store, getPod: async () => deleted } };
    const calls = await world.count('groups.', async () =>
      expect(await post(world, 'exec', { params: ofPod(world) })).toMatchObject({
        status: 404,
        jsonBody: { error: { code: 'ContainerGroupGone' } },
      }),
    );
    expect(calls).toBe(0);
  });

  it.each([
    '',
    '{',
    '{}',
    'null',
    '{"terminalSize":{"columns":0,"rows":24}}',
    '{"terminalSize":{"columns":80,"rows":1001}}',
    '{"terminalSize":{"columns":80,"rows":24},"command":"reboot"}',
    `${JSON.stringify(size)}${' '.repeat(1024)}`,
  ])('exec with %j: 400, and ARM is not asked', async (body) => {
    const world = await running();
    const calls = await world.count('groups.', async () =>
      expect(await post(world, 'exec', { params: ofPod(world), body })).toMatchObject({ status: 400 }),
    );
    expect(calls).toBe(0);
  });

  it.each(['logs', 'run', '', 'EXEC'])('POST %s: 404', async (part) => {
    const world = await running();
    expect(await post(world, part, { params: ofPod(world) })).toMatchObject({ status: 404 });
  });

  it('ARM is used up: 429 with when to ask again', async () => {
    const world = await running();
    const fault = { kind: 'throttled', retryAfterMs: 1_500, message: 'm' } as const;
    world.groups.inject({ method: 'exec', moment: 'before', fault });
    const answer = await post(world, 'exec', { params: ofPod(world) });
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '2' } });
  });
});

describe('every HTTP function', () => {
  const call = async (world: World, parts: RequestParts, run: () => Promise<Answer>) => {
    const logged: string[] = [];
    const log = {
      info: () => undefined,
      warn: (message: string, fields?: object) => void logged.push(JSON.stringify({ message, ...fields })),
    };
    const answer = await answerCaller(request(parts), log, {
      deadlineMs: 5_000,
      run,
      load: async () => ({ ok: true, deps: world.deps }),
    });
    return { answer, logged: logged.join('\n') };
  };
  const relayToken = (world: World, username = 'system:serviceaccount:kube-system:relay'): string => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({})}.${part({ exp: Date.now() / 1000 + 600, aud: ['serverless-kubelet'], jti: Math.random() })}.c2ln`;
    world.cluster.putToken(token, { username, groups: [], audiences: ['serverless-kubelet'] });
    return `Bearer ${token}`;
  };
  const fine = async (): Promise<Answer> => ({ status: 200 });
  const params = { cluster: clusterUid };

  it.each([
    { it: 'no token', parts: () => ({ params }), status: 401 },
    {
      it: 'a cluster nobody registered',
      parts: (world: World) => ({ params: { cluster: 'x' }, headers: { authorization: relayToken(world) } }),
      status: 401,
    },
    {
      it: 'another account',
      parts: (world: World) => ({ params, headers: { authorization: relayToken(world, 'system:serviceaccount:a:b') } }),
      status: 403,
    },
    {
      it: 'the relay',
      parts: (world: World) => ({ params, headers: { authorization: relayToken(world) } }),
      status: 200,
    },
  ])('$it: $status', async ({ parts, status }) => {
    const world = await createWorld();
    let ran = false;
    const { answer } = await call(world, parts(world), async () => {
      ran = true;
      return fine();
    });
    expect([answer.status, ran]).toEqual([status, status === 200]);
  });

  it('the cluster can’t be asked: 503', async () => {
    const world = await createWorld();
    world.cluster.inject({ method: 'reviewToken', moment: 'before', fault: { kind: 'transient', message: 'away' } });
    const { answer } = await call(world, { params, headers: { authorization: relayToken(world) } }, fine);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  });

  it('a bug is a 500 whose details only the log has, under the same id', async () => {
    const world = await createWorld();
    const { answer, logged } = await call(
      world,
      { params, headers: { authorization: relayToken(world) } },
      async () => {
        throw new Error('the inside of the app');
      },
    );
    expect(answer.status).toBe(500);
    expect(said(answer)).not.toContain('inside');
    expect(logged).toContain('the inside of the app');
    expect(logged).toContain(/[0-9a-f-]{36}/.exec(said(answer))?.[0] ?? 'no id');
  });

  it('settings that are wrong are a 503 whose faults only the log has, under the same id', async () => {
    const logged: string[] = [];
    const log = {
      info: () => undefined,
      warn: (message: string, fields?: object) => void logged.push(JSON.stringify({ message, ...fields })),
    };
    const answer = await answerCaller(request({ params }), log, {
      deadlineMs: 5_000,
      run: fine,
      load: async () => ({ ok: false, problem: 'settings', message: 'INSTALLATION: set it; it is required' }),
    });
    expect(answer).toMatchObject({ status: 503, jsonBody: { error: { code: 'SettingsInvalid' } } });
    expect(said(answer)).not.toContain('INSTALLATION');
    expect(logged.join()).toContain('INSTALLATION');
    expect(logged.join()).toContain(/[0-9a-f-]{36}/.exec(said(answer))?.[0] ?? 'no id');
  });
});
