/** The HTTP skin over real sockets, as kubectl, the app and the relay use it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Reflector } from '../../../infra/cluster/relay/pods/reflector.ts';
import { createApiClient } from '../../../infra/local/cluster/api-client.ts';
import type { ApiRequest } from '../../../infra/local/cluster/api-client.ts';
import { startEmbeddedCluster } from '../../../infra/local/cluster/embedded/embedded-cluster.ts';
import type { EmbeddedCluster } from '../../../infra/local/cluster/embedded/embedded-cluster.ts';
import { createKubernetesClient, openWatch } from '../../../shared/adapters/kubernetes/http.ts';
import { until } from '../../relay/fake-app.ts';
import { nodeManifest, podManifest } from './cluster.ts';

let dir = '';
let cluster: EmbeddedCluster;
const clients: { close(): void }[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'embedded-'));
  cluster = await startEmbeddedCluster({ dir, tickMs: 20, bookmarkMs: 20, historySize: 200 });
});

afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

const never = new AbortController().signal;
const pods = '/api/v1/namespaces/default/pods';
const kubernetes = (requestTimeoutMs = 5000) => {
  const { url: server, caPem, adminToken } = cluster;
  const getToken = async (): Promise<string> => adminToken;
  const client = createKubernetesClient({ server, caPem, getToken, requestTimeoutMs, userAgent: 'test' });
  clients.push(client);
  return client;
};

/** What answers hold, as far as it is checked; what is not there is undefined all the same. */
interface Body {
  readonly status: { readonly token: string };
  readonly message: string;
  readonly gitVersion: string;
  readonly resources: readonly { readonly name: string }[];
  readonly groups: readonly { readonly name: string }[];
  readonly columnDefinitions: readonly { readonly name: string }[];
  readonly rows: readonly { readonly cells: readonly string[] }[];
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly serverRelativeURL: string;
        readonly patch: { readonly parameters: readonly { readonly name: string }[] };
      }
    >
  >;
}

interface Line {
  readonly type: string;
  readonly object: { readonly metadata: { readonly annotations: unknown } };
}

/** As the administrator, unless given. */
async function send(
  request: ApiRequest,
  credential: Parameters<typeof createApiClient>[1] = { token: cluster.adminToken },
) {
  const client = createApiClient({ url: cluster.url, caPem: cluster.caPem }, credential);
  const answer = await client.send(request);
  client.close();
  return { status: answer.status, body: answer.body as Body };
}

describe('the door', () => {
  it('knows the administrator by token, certificate and kubeconfig', async () => {
    expect((await send({ path: '/api/v1/secrets' })).status).toBe(200);
    expect((await send({ path: '/api/v1/secrets' }, { certificate: cluster.admin })).status).toBe(200);
    const config = JSON.parse(readFileSync(cluster.kubeconfigPath, 'utf8'));
    expect(config.clusters[0].cluster.server).toBe(cluster.url);
  });

  it('reports a wrong token from none, and shows nobody but its health', async () => {
    expect((await send({ path: pods }, { token: 'x' })).body).toMatchObject({ code: 401, reason: 'Unauthorized' });
    expect((await send({ path: pods }, {})).body).toMatchObject({
      code: 403,
      message:
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    });
    expect((await send({ path: '/readyz' }, {})).status).toBe(200);
    expect((await send({ path: '/api' }, {})).status).toBe(403);
  });

  it.each<[string, ApiRequest, number]>([
    ['a path of nobody', { path: '/nothing' }, 404],
    ['a kind of nobody', { path: '/api/v1/namespaces/default/things' }, 404],
    ['a group of nobody', { path: '/apis/example.com/v1/things' }, 404],
    ['an empty segment', { path: '/api/v1/namespaces//pods' }, 404],
    ['an escape that is none', { path: '/api/v1/namespaces/%zz/pods' }, 404],
    ['a name that leads elsewhere', { path: `${pods}/..%2fsecrets` }, 404],
    ['no body', { method: 'POST', path: pods }, 400],
    ['a body that is no object', { method: 'POST', path: pods, body: [1] }, 400],
    [
      'a body of another media type',
      { method: 'POST', path: pods, body: {}, headers: { 'content-type': 'text/plain' } },
      415,
    ],
    ['a patch of an unknown type', { method: 'PATCH', path: `${pods}/p`, body: {} }, 404],
    ['a body too large', { method: 'POST', path: pods, body: { data: 'x'.repeat(4_000_000) } }, 413],
    [
      'protobuf',
      { method: 'POST', path: pods, body: {}, headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } },
      415,
    ],
    ['a method that is not for it', { method: 'PUT', path: pods, body: {} }, 405],
    ['a selector that is none', { path: `${pods}?fieldSelector=spec.image%3Dx` }, 400],
    ['a limit that is none', { path: `${pods}?limit=x` }, 400],
    ['what is not served', { method: 'POST', path: `${pods}/p/exec`, body: {} }, 405],
  ])('answers %s with a Status: %#', async (_, request, code) => {
    const answer = await send(request);
    expect(answer.status).toBe(code);
    expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code });
  });

  it.each([
    // As `kubectl create deployment` and `kubectl exec` send them: protobuf, and no body at all.
    [
      '/apis/apps/v1/namespaces/default/deployments',
      { data: 'k8s' },
      'application/vnd.kubernetes.protobuf',
      /Deployment/,
    ],
    [`${pods}/p/exec?command=ls`, undefined, 'application/json', /no pods\/exec/],
    [`${pods}/p/portforward`, undefined, 'application/json', /no pods\/portforward/],
    [`${pods}/p/eviction`, { data: 'k8s' }, 'application/vnd.kubernetes.protobuf', /no pods\/eviction/],
  ])('says of what it has not what has it: POST %s', async (path, body, type, what) => {
    const answer = await send({ method: 'POST', path, body, headers: { 'content-type': type } });
    expect(answer.status).toBe(405);
    expect(answer.body.message).toMatch(what);
    expect(answer.body.message).toMatch(/real.*npm start -- --cluster real/);
  });

  it('reports itself what kubectl asks', async () => {
    const list = await send({ path: '/api/v1' });
    const names = list.body.resources.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['pods', 'pods/log', 'pods/status', 'nodes', 'serviceaccounts/token']),
    );
    expect((await send({ path: '/version' })).body.gitVersion).toBe('v1.36.3');
    const index = (await send({ path: '/openapi/v3' })).body;
    const document = (await send({ path: index.paths['api/v1']?.serverRelativeURL ?? '' })).body;
    const operation = document.paths['/api/v1/namespaces/{namespace}/pods/{name}']?.patch;
    expect(operation?.parameters[0]?.name).toBe('fieldValidation');
    expect((await send({ path: '/apis' })).body.groups.map(({ name }: { name: string }) => name)).toContain('apps');
  });

  it('refuses what needs a controller with a sentence that says so', async () => {
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } };
    const answer = await send({ method: 'POST', path: '/apis/apps/v1/namespaces/default/deployments', body });
    expect(answer.body).toMatchObject({ code: 405, message: expect.stringContaining('has no controllers') });
    expect((await send({ path: '/apis/apps/v1/deployments' })).body).toMatchObject({
      kind: 'DeploymentList',
      items: [],
    });
  });

  it('lets nobody impersonate without the right to', async () => {
    const token = (
      await send({ method: 'POST', path: '/api/v1/namespaces/default/serviceaccounts/default/token', body: {} })
    ).body.status.token;
    const headers = { 'impersonate-user': 'system:node:n', 'impersonate-group': 'system:nodes' };
    expect((await send({ path: pods, headers }, { token })).body.message).toContain(
      'cannot impersonate resource "users"',
    );
    const asNode = await send({ path: `${pods}/absent`, headers });
    expect(asNode.body.message).toContain("no relationship found between node 'n' and this object");
  });

  it('keeps a journal of who asked what', async () => {
    cluster.journal.clear();
    const headers = { 'impersonate-user': 'system:node:n', 'impersonate-group': 'system:nodes' };
    await send({ path: `${pods}/absent?x=1`, headers });
    expect(cluster.journal.entries()).toMatchObject([
      { method: 'GET', path: `${pods}/absent?x=1`, user: 'system:node:n', status: 403 },
    ]);
  });
});

describe('kubectl get', () => {
  it('has a table', async () => {
    await send({ method: 'POST', path: pods, body: podManifest('table') });
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await send({ path: `${pods}?fieldSelector=metadata.name%3Dtable`, headers: { accept } });
    expect(body.columnDefinitions.map(({ name }: { name: string }) => name).slice(0, 5)).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
    ]);
    expect(body.rows[0]?.cells.slice(0, 4)).toEqual(['table', '0/1', 'Pending', '0']);
    await send({ method: 'DELETE', path: `${pods}/table` });
  });
});

describe('a watch', () => {
  const lines = async (
    query: Record<string, string>,
    act: () => Promise<unknown>,
    enough: (seen: readonly Line[]) => boolean,
  ) => {
    const seen: Line[] = [];
    const stop = new AbortController();
    const watching = openWatch(
      kubernetes(),
      '/api/v1/pods',
      { watch: 'true', timeoutSeconds: '5', ...query },
      {
        signal: stop.signal,
        inactivityTimeoutMs: 5000,
        onLine: (line) => {
          seen.push(JSON.parse(line));
          if (enough(seen)) stop.abort();
        },
      },
    );
    await until('the first line', () => seen.length > 0);
    await act();
    await watching;
    return seen;
  };

  it('shows what is there, then what happens, with bookmarks between', async () => {
    await send({ method: 'POST', path: pods, body: podManifest('a') });
    const seen = await lines(
      { allowWatchBookmarks: 'true', sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' },
      () => send({ method: 'DELETE', path: `${pods}/a` }),
      (all) => all.some(({ type }) => type === 'DELETED') && all.filter(({ type }) => type === 'BOOKMARK').length > 1,
    );
    expect(seen[0]?.type).toBe('ADDED');
    expect(seen.find(({ type }) => type === 'BOOKMARK')?.object.metadata.annotations).toEqual({
      'k8s.io/initial-events-end': 'true',
    });
  });

  it('of a version that is forgotten is reported so, and ends no process that gives it up with its last line', async () => {
    cluster.cluster.state().store.compact();
    const seen = await lines(
      { resourceVersion: '101' },
      async () => undefined,
      (all) => all.length > 0,
    );
    expect(seen).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
  });
});

it('the relay’s reflector lists and follows the pods of a node, also past a history that is forgotten', async () => {
  const snapshots: string[][] = [];
  const changes: string[] = [];
  const stop = new AbortController();
  const reflector = new Reflector({
    client: kubernetes(),
    node: 'r',
    sink: {
      onSnapshot: (all) => void snapshots.push(all.map(({ name }) => name)),
      onChange: ({ name }) => void changes.push(name),
    },
    log: { info: () => undefined, warn: () => undefined },
    random: () => 0,
  });
  for (const name of ['r1', 'r2'])
    await send({ method: 'POST', path: pods, body: podManifest(name, { nodeName: 'r' }) });
  const running = reflector.run(stop.signal);
  await until('the first list', () => snapshots.length === 1);
  expect(snapshots[0]).toEqual(['r1', 'r2']);
  await until('the watch', () =>
    cluster.journal.entries().some(({ path }) => path.includes('watch=true') && path.includes('%3Dr')),
  );
  await send({ method: 'POST', path: pods, body: podManifest('r3', { nodeName: 'r' }) });
  await until('the change', () => changes.includes('r3'));
  cluster.cluster.rebuild();
  await send({ method: 'POST', path: pods, body: podManifest('r4', { nodeName: 'r' }) });
  await until('the list of the rebuilt cluster', () => snapshots.length > 1 && (snapshots.at(-1) ?? []).includes('r4'));
  stop.abort();
  await running;
});

describe('logs', () => {
  it('are the kubelet’s, to whom the API server shows its certificate', async () => {
    const seen: (string | undefined)[] = [];
    const { certPem, keyPem } = await cluster.issueCertificate({
      commonName: 'k',
      ipAddresses: ['127.0.0.1'],
      usages: ['server'],
    });
    const kubelet = createServer(
      { cert: certPem, key: keyPem, ca: cluster.caPem, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { socket, url } = request;
        const subject =
          socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject : undefined;
        seen.push(url, String(subject?.CN));
        response.writeHead(url?.includes('previous=true') === true ? 400 : 200);
        response.end(url?.includes('previous=true') === true ? 'no previous container' : 'hello\n');
      },
    );
    await new Promise<void>((resolve) => void kubelet.listen(0, '127.0.0.1', resolve));
    const { port } = kubelet.address() as AddressInfo;
    const status = {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    };
    await send({ method: 'POST', path: '/api/v1/nodes', body: nodeManifest('logs', { status }) });
    await send({ method: 'POST', path: pods, body: podManifest('l', { nodeName: 'logs' }) });
    expect((await send({ path: `${pods}/l/log?tailLines=5` })).body).toBe('hello\n');
    expect(seen).toEqual(['/containerLogs/default/l/main?tailLines=5', 'kube-apiserver-kubelet-client']);
    expect((await send({ path: `${pods}/l/log?previous=true` })).body).toMatchObject({
      code: 400,
      message: 'no previous container',
    });
    expect((await send({ path: `${pods}/l/log?container=x` })).body).toMatchObject({
      code: 400,
      message: 'container x is not valid for pod l',
    });
    kubelet.close();
    kubelet.closeAllConnections();
    expect((await send({ path: `${pods}/l/log` })).body).toMatchObject({
      code: 500,
      message: expect.stringContaining('/containerLogs/default/l/main'),
    });
  });
});

it('stops twice without harm, and takes nothing with it', async () => {
  const own = await startEmbeddedCluster({ dir: join(dir, 'own') });
  await Promise.all([own.stop(), own.stop()]);
  expect((await send({ path: '/readyz' })).status).toBe(200);
  expect(never.aborted).toBe(false);
});
