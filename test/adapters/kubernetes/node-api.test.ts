import { describe, expect, it } from 'vitest';
import { createNodeApi } from '../../../shared/adapters/kubernetes/node-api.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { TrustBundleSelector } from '../../../shared/core/kubernetes/trust-bundle.ts';
import type { NodeApi } from '../../../shared/ports/node-api.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { cannedServer, never, podJson, podList, statusBody } from './canned-server.ts';
import type { Canned } from './canned-server.ts';

const ref = { namespace: 'default', name: 'p' };
const podOf = (name: string): Pod => {
  const pod = parsePod(podJson(name));
  if (pod === undefined) throw new Error('the fixture is no pod');
  return pod;
};
const lease = { name: 'aci-1', holderIdentity: 'aci-1', leaseDurationSeconds: 40, renewTimeMicros: 1 };
const nodeStatus = {
  capacity: {},
  allocatable: {},
  conditions: [],
  addresses: [],
  kubeletPort: 1,
  nodeInfo: {},
  declaredFeatures: [],
};
const event = {
  involved: { kind: 'Pod', namespace: 'default', name: 'p', uid: 'u' },
  type: 'Normal',
  reason: 'Pulled',
  message: 'm',
  at: '2026-11-23T11:00:00Z',
  dedupeKey: 'k',
} as const;

const calls: Readonly<Record<string, (api: NodeApi) => Promise<{ readonly ok: boolean }>>> = {
  getNode: (api) => api.getNode(never),
  createNode: (api) =>
    api.createNode({ name: 'aci-1', labels: {}, annotations: {}, taints: [], status: nodeStatus }, never),
  patchNodeStatus: (api) => api.patchNodeStatus(nodeStatus, never),
  getLease: (api) => api.getLease(never),
  createLease: (api) => api.createLease(lease, never),
  updateLease: (api) => api.updateLease(lease, never),
  deleteLease: (api) => api.deleteLease(never),
  listPods: (api) => api.listPods(never),
  getPod: (api) => api.getPod(ref, never),
  patchPodStatus: (api) => api.patchPodStatus(podOf('p'), podOf('p').status, never),
  deletePod: (api) => api.deletePod(podOf('p'), {}, never),
  getSecret: (api) => api.getSecret(ref, never),
  getConfigMap: (api) => api.getConfigMap(ref, never),
  getReferenceVersion: (api) => api.getReferenceVersion('secret', ref, never),
  listServices: (api) => api.listServices('default', never),
  listTrustBundles: (api) => api.listTrustBundles({ kind: 'name', name: 'x' }, never),
  createToken: (api) =>
    api.createToken(
      { ...ref, serviceAccountName: 'sa', audiences: [], expirationSeconds: 3607, pod: { name: 'p', uid: 'u' } },
      never,
    ),
  createEvent: (api) => api.createEvent(event, never),
  repeatEvent: (api) => api.repeatEvent(event, never),
};

describe.each(Object.keys(calls))('%s', (name) => {
  it.each<[string, Canned, string]>([
    ['an empty object', { body: {} }, 'transient'],
    ['HTML', { body: '<html>' }, 'transient'],
    ['truncated JSON', { body: '{"kind":"Po' }, 'transient'],
    ['another kind without its members', { body: { kind: 'Status', metadata: {}, spec: {} } }, 'transient'],
    ['a 429', { status: 429, headers: { 'retry-after': '2' }, body: 'Too many requests' }, 'throttled'],
    ['a 401', { status: 401, body: statusBody(401, 'Unauthorized') }, 'denied'],
    ['a 403', { status: 403, body: statusBody(403, 'Forbidden') }, 'denied'],
    ['a 422', { status: 422, body: statusBody(422, 'Invalid') }, 'rejected'],
    ['a 503', { status: 503, body: 'upstream connect error' }, 'transient'],
  ])('answered with %s', async (what, canned, kind) => {
    await using server = await cannedServer(canned);
    const result = await calls[name]?.(createNodeApi(server.client, 'aci-1'));
    // Where the content of a success does not matter, any API object is one.
    const isSuccess =
      what === 'another kind without its members' &&
      ['deleteLease', 'deletePod', 'createEvent', 'repeatEvent'].includes(name);
    expect(result).toMatchObject(isSuccess ? { ok: true } : { ok: false, fault: { kind } });
    expect(server.received.every(({ headers }) => headers['impersonate-user'] === 'system:node:aci-1')).toBe(true);
    expect(server.received.every(({ headers }) => headers['impersonate-group'] === 'system:nodes')).toBe(true);
  });
});

describe('the list of pods', () => {
  it('is read in pages, from a consistent read', async () => {
    await using server = await cannedServer(({ url }) =>
      url.searchParams.get('continue') === 'more'
        ? { body: podList([podJson('b')]) }
        : { body: podList([podJson('a')], 'more') },
    );
    const pods = await createNodeApi(server.client, 'aci-1').listPods(never);
    expect(pods.ok && pods.value.map((pod) => pod.metadata.name)).toStrictEqual(['a', 'b']);
    for (const { url } of server.received) {
      expect(url.searchParams.get('fieldSelector')).toBe('spec.nodeName=aci-1');
      expect(url.searchParams.get('limit')).toBe('500');
      expect(url.searchParams.has('resourceVersion')).toBe(false);
    }
  });

  it.each<[string, Canned, object]>([
    ['a page too late', { status: 410, body: statusBody(410, 'Expired') }, { kind: 'conflict', code: 'Expired' }],
    ['a pod that can’t be read', { body: podList([podJson('b'), { metadata: { name: 'c' } }]) }, { kind: 'transient' }],
    ['a pod of another node', { body: podList([podJson('b', { node: 'aci-2' })]) }, { kind: 'transient' }],
    ['a list of null', { body: { ...podList([]), items: null } }, { kind: 'transient' }],
    ['another list', { body: { ...podList([]), kind: 'NodeList' } }, { kind: 'transient' }],
  ])('%s fails the whole', async (_, second, fault) => {
    await using server = await cannedServer(({ url }) =>
      url.searchParams.has('continue') ? second : { body: podList([podJson('a')], 'more') },
    );
    expect(await createNodeApi(server.client, 'aci-1').listPods(never)).toMatchObject({ ok: false, fault });
  });

  it('that never ends is given up', async () => {
    await using server = await cannedServer({ body: podList([], 'again') });
    expect(await createNodeApi(server.client, 'aci-1').listPods(never)).toMatchObject({ fault: { kind: 'transient' } });
  });
});

describe('one pod', () => {
  it('is read by a list, so that absence is an answer', async () => {
    await using server = await cannedServer({ body: podList([]) });
    expect(await createNodeApi(server.client, 'aci-1').getPod(ref, never)).toStrictEqual({
      ok: true,
      value: undefined,
    });
    expect(server.received[0]?.url.pathname).toBe('/api/v1/namespaces/default/pods');
    expect(server.received[0]?.url.searchParams.get('fieldSelector')).toBe('spec.nodeName=aci-1,metadata.name=p');
  });

  it('a name that is a selector stays a name', async () => {
    await using server = await cannedServer({ body: podList([]) });
    await createNodeApi(server.client, 'aci-1').getPod(
      { namespace: 'default', name: String.raw`p,spec.nodeName!=x\y` },
      never,
    );
    expect(server.received[0]?.url.searchParams.get('fieldSelector')).toBe(
      String.raw`spec.nodeName=aci-1,metadata.name=p\,spec.nodeName!\=x\\y`,
    );
  });

  it.each([
    ['two pods', [podJson('p'), podJson('p')]],
    ['another pod', [podJson('q')]],
  ])('%s is garbage', async (_, items) => {
    await using server = await cannedServer({ body: podList(items) });
    expect(await createNodeApi(server.client, 'aci-1').getPod(ref, never)).toMatchObject({
      fault: { kind: 'transient' },
    });
  });
});

describe('trust bundles', () => {
  const versionsOf = (versions: readonly string[]): Canned => ({
    body: {
      kind: 'APIGroupList',
      groups: [
        { name: 'apps', versions: [{ groupVersion: 'apps/v1', version: 'v1' }] },
        { name: 'certificates.k8s.io', versions: versions.map((version) => ({ version })) },
      ],
    },
  });
  const resourcesOf = (names: readonly string[]): Canned => ({
    body: { kind: 'APIResourceList', resources: names.map((name) => ({ name })) },
  });
  const bundle = (name: string) => ({ metadata: { name }, spec: { signerName: 's/t', trustBundle: `PEM ${name}` } });
  const listed: Canned = {
    body: { kind: 'ClusterTrustBundleList', metadata: {}, items: [bundle('a'), bundle('b')] },
  };

  /** Of the versions that the server has, those that serve them. */
  async function read(selector: TrustBundleSelector, having: readonly string[], serving: readonly string[]) {
    await using server = await cannedServer(({ url }) => {
      const [, , group, version = '', resource] = url.pathname.split('/');
      if (group === undefined) return versionsOf(having);
      if (resource !== undefined) return listed;
      return resourcesOf(serving.includes(version) ? ['certificatesigningrequests', 'clustertrustbundles'] : ['x']);
    });
    const result = await createNodeApi(server.client, 'aci-1').listTrustBundles(selector, never);
    return { result, last: server.received.at(-1)?.url, count: server.received.length };
  }

  it.each([
    ['v1beta1', ['v1', 'v1beta1'], ['v1beta1'], 4],
    ['v1', ['v1', 'v1beta1'], ['v1', 'v1beta1'], 3],
    ['v1beta1', ['v1beta1'], ['v1beta1'], 3],
  ])(
    'are listed by %s where the server has %j of the group, and %j with them',
    async (version, having, serving, requests) => {
      const { result, last, count } = await read({ kind: 'name', name: 'a:b:c' }, having, serving);
      expect(result).toEqual({ ok: true, value: ['PEM a', 'PEM b'] });
      expect(last?.pathname).toBe(`/apis/certificates.k8s.io/${version}/clustertrustbundles`);
      expect(last?.searchParams.get('fieldSelector')).toBe('metadata.name=a:b:c');
      expect(last?.searchParams.has('labelSelector')).toBe(false);
      expect(count).toBe(requests);
    },
  );

  it.each([
    ['x in (a,b),!y', 'x in (a,b),!y'],
    ['', null],
  ])('are those of a signer, with the labels %j', async (labels, sent) => {
    const { last } = await read({ kind: 'signer', signerName: 's/t', labels }, ['v1beta1'], ['v1beta1']);
    expect(last?.searchParams.get('fieldSelector')).toBe('spec.signerName=s/t');
    expect(last?.searchParams.get('labelSelector')).toBe(sent);
  });

  it.each([
    ['the group', [], []],
    ['any version of theirs', ['v1'], []],
    ['them in the version', ['v1', 'v1beta1'], []],
  ])('are not served where the server does not have %s', async (_, having, serving) => {
    const { result } = await read({ kind: 'name', name: 'x' }, having, serving);
    expect(result).toMatchObject({ ok: false, fault: { kind: 'not-found', code: 'NotServed' } });
  });
});

describe('a token', () => {
  const request = {
    ...ref,
    serviceAccountName: 'sa',
    audiences: [],
    expirationSeconds: 3607,
    pod: { name: 'p', uid: 'u' },
  };
  const jwt = (seconds: number): string =>
    `h.${Buffer.from(JSON.stringify({ iat: 1_000_000, exp: 1_000_000 + seconds })).toString('base64url')}.s`;
  const answer = (token: string, statusSeconds: number): Canned => ({
    body: {
      kind: 'TokenRequest',
      metadata: { creationTimestamp: '2026-11-29T17:00:00Z' },
      status: { token, expirationTimestamp: new Date(Date.UTC(2026, 10, 29, 17, 0, statusSeconds)).toISOString() },
    },
  });
  const askedFor = (body: string): unknown => JSON.parse(body).spec.expirationSeconds;

  /** What is given where the API server answers 3607 with `first`, and all else with `second`. */
  async function given(first: Canned, second: Canned) {
    await using server = await cannedServer(({ body }) => (askedFor(body) === 3607 ? first : second));
    const result = await createNodeApi(server.client, 'aci-1').createToken({ ...request, elseSeconds: 86_400 }, never);
    return { result, asked: server.received.map(({ body }) => askedFor(body)) };
  }

  it('lives for as long as it says itself; where it is no JWT, as the status says', async () => {
    for (const [token, lifetimeSeconds] of [
      [jwt(31_536_000), 31_536_000],
      [jwt(900), 900],
      ['opaque', 3607],
    ] as const) {
      await using server = await cannedServer(answer(token, 3607));
      const result = await createNodeApi(server.client, 'aci-1').createToken(request, never);
      expect(result).toEqual({ ok: true, value: { value: token, lifetimeSeconds } });
    }
  });

  it('without an end is no answer', async () => {
    const whole = answer(jwt(3607), 3607);
    await using server = await cannedServer({ body: { ...Object(whole.body), status: { token: jwt(3607) } } });
    expect(await createNodeApi(server.client, 'aci-1').createToken(request, never)).toMatchObject({
      fault: { kind: 'transient' },
    });
  });

  it('that was extended is asked for once', async () => {
    const { result, asked } = await given(answer(jwt(31_536_000), 3607), answer(jwt(86_400), 86_400));
    expect(result).toMatchObject({ value: { lifetimeSeconds: 31_536_000 } });
    expect(asked).toEqual([3607]);
  });

  it.each<[string, Canned, object]>([
    ['what it gives', answer(jwt(86_400), 86_400), { value: { lifetimeSeconds: 86_400 } }],
    ['the first, where that lives longer', answer(jwt(3600), 3600), { value: { lifetimeSeconds: 3607 } }],
    [
      'the first, where a policy refuses a day',
      { status: 403, body: statusBody(403, 'Forbidden') },
      { value: { lifetimeSeconds: 3607 } },
    ],
    [
      'the first, where a day is invalid',
      { status: 422, body: statusBody(422, 'Invalid') },
      { value: { lifetimeSeconds: 3607 } },
    ],
    ['a fault that passes', { status: 503, body: 'upstream' }, { fault: { kind: 'transient' } }],
  ])('of an API server that extends nothing is asked for again, and is %s', async (_, second, expected) => {
    const { result, asked } = await given(answer(jwt(3607), 3607), second);
    expect(result).toMatchObject(expected);
    expect(asked).toEqual([3607, 86_400]);
  });
});

describe('a status that can’t be written', () => {
  const patched = async (refusal: Canned, found: Canned) => {
    await using server = await cannedServer(({ method }) => (method === 'PATCH' ? refusal : found));
    return await createNodeApi(server.client, 'aci-1').patchPodStatus(podOf('p'), podOf('p').status, never);
  };
  const modified = { status: 409, body: statusBody(409, 'Conflict', 'the object has been modified') };
  const sameThere = { body: podList([podJson('p')]) };

  it.each<[string, Canned, Canned, object]>([
    ['the object changed', modified, sameThere, { kind: 'conflict', code: 'Conflict' }],
    ['the object is gone', { status: 404, body: statusBody(404, 'NotFound') }, sameThere, { kind: 'not-found' }],
    ['another pod took its name', modified, { body: podList([podJson('p', { uid: 'other' })]) }, { kind: 'not-found' }],
    [
      'another node has a pod of its name',
      { status: 403, body: statusBody(403, 'Forbidden') },
      { body: podList([]) },
      { kind: 'not-found' },
    ],
    [
      'its uid is called immutable',
      { status: 422, body: statusBody(422, 'Invalid') },
      { body: podList([]) },
      { kind: 'not-found' },
    ],
    ['the status is wrong', { status: 422, body: statusBody(422, 'Invalid') }, sameThere, { kind: 'rejected' }],
    ['nobody can say', modified, { status: 500, body: '' }, { kind: 'conflict' }],
    ['the server is ill', { status: 500, body: '' }, { body: podList([]) }, { kind: 'transient' }],
  ])('because %s', async (_, refusal, found, fault) => {
    expect(await patched(refusal, found)).toMatchObject({ ok: false, fault });
  });
});

describe('the delete of a pod', () => {
  it.each<[string, Canned, object]>([
    ['done', { body: podJson('p') && { kind: 'Pod', ...podJson('p') } }, { ok: true }],
    ['accepted', { status: 202, body: { kind: 'Status', status: 'Success' } }, { ok: true }],
    ['of one that is gone', { status: 404, body: statusBody(404, 'NotFound') }, { ok: true }],
    [
      'whose name another pod has',
      {
        status: 409,
        body: statusBody(
          409,
          'Conflict',
          'Operation cannot be fulfilled on Pod "p": the UID in the precondition (x) does not match the UID in record (y).',
        ),
      },
      { ok: true },
    ],
    [
      'whose name another pod has, in the words of the storage',
      {
        status: 409,
        body: statusBody(409, 'Conflict', 'Precondition failed: UID in precondition: x, UID in object meta: y'),
      },
      { ok: true },
    ],
    [
      'that met another writer',
      { status: 409, body: statusBody(409, 'Conflict', 'the object has been modified') },
      { ok: false },
    ],
  ])('%s', async (_, canned, expected) => {
    await using server = await cannedServer(canned);
    expect(await createNodeApi(server.client, 'aci-1').deletePod(podOf('p'), {}, never)).toMatchObject(expected);
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'uid-p' },
    });
  });
});

describe('what pods refer to', () => {
  it('secrets are decoded, and one that is not base64 is no secret', async () => {
    await using good = await cannedServer({ body: { kind: 'Secret', type: 'Opaque', data: { a: 'AP8=', empty: '' } } });
    expect(await createNodeApi(good.client, 'aci-1').getSecret(ref, never)).toStrictEqual({
      ok: true,
      value: { type: 'Opaque', data: { a: new Uint8Array([0, 255]), empty: new Uint8Array() } },
    });
    await using bad = await cannedServer({ body: { kind: 'Secret', type: 'Opaque', data: { a: 'plain secret!' } } });
    const refused = await createNodeApi(bad.client, 'aci-1').getSecret(ref, never);
    expect(refused).toMatchObject({ fault: { kind: 'transient' } });
    expect(JSON.stringify(refused)).not.toContain('plain');
  });

  it('a list whose pages all name the same next one is given up at once', async () => {
    await using server = await cannedServer({ body: podList([podJson('p')], 'token') });
    expect(await createNodeApi(server.client, 'aci-1').listPods(never)).toMatchObject({ fault: { kind: 'transient' } });
    expect(server.received).toHaveLength(2);
  });

  it.each(['', '..', '\ud800'])('the name %j, which no object has, is never sent', async (name) => {
    await using server = await cannedServer({ body: {} });
    expect(await createNodeApi(server.client, 'aci-1').getSecret({ namespace: 'default', name }, never)).toMatchObject({
      fault: { kind: 'rejected' },
    });
    expect(server.received).toHaveLength(0);
  });

  it('only services with a cluster IP are listed', async () => {
    const service = (name: string, spec: object) => ({ metadata: { name, namespace: 'default' }, spec });
    await using server = await cannedServer({
      body: {
        kind: 'ServiceList',
        metadata: {},
        items: [
          service('web', { clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80 }] }),
          service('headless', { clusterIP: 'None', ports: [{ port: 80 }] }),
          service('elsewhere', { externalName: 'example.com' }),
        ],
      },
    });
    expect(await createNodeApi(server.client, 'aci-1').listServices('default', never)).toStrictEqual({
      ok: true,
      value: [
        {
          name: 'web',
          namespace: 'default',
          clusterIP: '10.0.0.1',
          ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
        },
      ],
    });
  });
});

describe('events', () => {
  it('written twice are one', async () => {
    const names = new Set<string>();
    await using server = await cannedServer(({ body }) => {
      const { name } = JSON.parse(body).metadata;
      if (names.has(name)) return { status: 409, body: statusBody(409, 'AlreadyExists') };
      names.add(name);
      return { status: 201, body: { kind: 'Event' } };
    });
    const api = createNodeApi(server.client, 'aci-1');
    expect(await api.createEvent(event, never)).toMatchObject({ ok: true });
    expect(await api.createEvent(event, never)).toMatchObject({ ok: true });
    expect(await api.createEvent({ ...event, dedupeKey: 'other' }, never)).toMatchObject({ ok: true });
    expect(names.size).toBe(2);
  });

  it('of a node live in default; names stay within 253 characters', async () => {
    await using server = await cannedServer({ status: 201, body: { kind: 'Event' } });
    const api = createNodeApi(server.client, 'aci-1');
    await api.createEvent(
      { ...event, involved: { kind: 'Node', namespace: '', name: 'n'.repeat(253), uid: 'u' } },
      never,
    );
    expect(server.received[0]?.url.pathname).toBe('/api/v1/namespaces/default/events');
    const body = JSON.parse(server.received[0]?.body ?? '');
    expect(body.metadata.name).toHaveLength(253);
    expect(body.involvedObject).not.toHaveProperty('namespace');
    expect(body.source).toStrictEqual({ component: 'serverless-kubelet', host: 'aci-1' });
  });
});

it('the time is that of the Date header', async () => {
  await using server = await cannedServer({ headers: { date: 'Mon, 23 Nov 2020 12:00:00 GMT' }, body: podList([]) });
  const api = createNodeApi(server.client, 'aci-1');
  expect(api.now()).toBeUndefined();
  await api.listPods(never);
  expect(Math.abs((api.now() ?? 0) - Date.parse('2020-11-23T12:00:00Z'))).toBeLessThan(5000);
});
