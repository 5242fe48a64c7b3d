/** What a node's port says its pods use: over real TLS, from pods that are real HTTP servers, some of which mean no good. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KubeletPort } from '../../infra/cluster/relay/kubelet/kubelet-port.ts';
import { StreamSessions } from '../../infra/cluster/relay/kubelet/stream-sessions.ts';
import type { Measures, MetricsDoor } from '../../infra/cluster/relay/kubelet/metrics-door.ts';
import { Reviews } from '../../infra/cluster/relay/kubelet/reviews.ts';
import { fetchStats } from '../../infra/cluster/relay/resource-metrics/fetch-stats.ts';
import { ResourceMeter } from '../../infra/cluster/relay/resource-metrics/resource-meter.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import type { KeyPair } from '../../infra/local/pki.ts';
import { defined } from '../../shared/core/defined.ts';
import type { MeasuredPod } from '../../shared/core/resource-metrics/measured-pod.ts';
import { cannedServer } from '../adapters/kubernetes/canned-server.ts';
import type { Canned, CannedServer, Received } from '../adapters/kubernetes/canned-server.ts';

const dir = mkdtempSync(join(tmpdir(), 'resource-metrics-'));
let ca: KeyPair;
let serving: KeyPair;
let apiServer: CannedServer;
let statsPort = 0;
let address = 1;
const servers: Server[] = [];
const ports: KubeletPort[] = [];
let meter: ResourceMeter;
let monotonicMs = 0;

function review({ url, body }: Received): Canned {
  const { spec } = JSON.parse(body);
  if (url.pathname.endsWith('/tokenreviews'))
    return { body: { kind: 'TokenReview', status: { authenticated: true, user: { username: spec.token } } } };
  const { subresource, verb, name } = spec.resourceAttributes;
  const allowed = verb === 'get' && name === 'aci-1' && spec.user === `may-${subresource}`;
  return { body: { kind: 'SubjectAccessReview', status: { allowed } } };
}

/** A pod's address on loopback, where something answers at the port of ACI's realtime-metrics. */
async function listen(listener: RequestListener): Promise<string> {
  const host = `127.0.0.${(address += 1)}`;
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(statsPort, host, resolve));
  const bound = server.address();
  if (bound !== null && typeof bound === 'object') statsPort = bound.port;
  return host;
}

const stats = (names: readonly string[], cpuSeconds: number): string =>
  JSON.stringify({
    timestamp: Date.now() * 1e6,
    containers: names.map((name) => ({
      name,
      cpu: { usageCoreNanoSeconds: cpuSeconds * 1e9 },
      memory: { usageBytes: 3e7, workingSetBytes: 2e7, rssBytes: 1e7 },
    })),
    cpu: { usageCoreNanoSeconds: 999e9 },
    memory: { usageBytes: 9e9, workingSetBytes: 9e9, rssBytes: 9e9 },
    network: { name: 'eth0', rxBytes: 5, rxErrors: 0, txBytes: 6, txErrors: 0, interfaces: [] },
  });

const says =
  (body: () => string, status = 200, headers = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(body());
  };

const startedAt = new Date(Date.now() - 60_000).toISOString();

function run(name: string, host: string | undefined, containers: readonly string[] = ['app']): void {
  const measured: MeasuredPod = {
    node: 'aci-1',
    namespace: 'default',
    name,
    uid: `u-${name}`,
    startedAt,
    containers: containers.map((one) => ({ name: one, startedAt })),
    most: { cores: 1, bytes: 1e9 },
    ...defined({ address: host }),
  };
  meter.set({ key: { uid: measured.uid }, measured });
}

async function openPort(metrics: MetricsDoor, where = { address: '127.0.0.1', port: 0 }): Promise<KubeletPort> {
  const log = { info: () => undefined, warn: () => undefined };
  const app = {
    getLogs: () => Promise.reject(new Error('no logs here')),
    openStream: () => Promise.reject(new Error('no streams here')),
    dialSession: () => Promise.reject(new Error('no sessions here')),
  };
  const port = await KubeletPort.open({
    context: { node: 'aci-1', client: apiServer.client, app, log, metrics, sessions: new StreamSessions() },
    reviews: new Reviews(apiServer.client),
    files: { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key'), clientCaFile: join(dir, 'ca.crt') },
    ...where,
  });
  ports.push(port);
  return port;
}

interface Call {
  readonly host?: string;
  readonly token?: string;
  readonly pair?: KeyPair;
  readonly method?: string;
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function call(port: KubeletPort, path: string, how: Call = {}): Promise<Answered> {
  const { host = '127.0.0.1', token, pair, method = 'GET' } = how;
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const options = {
    host,
    port: port.port,
    path,
    method,
    agent: false,
    rejectUnauthorized: false,
    ...(pair === undefined ? {} : { cert: pair.certPem, key: pair.keyPem }),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
  request(options, (response) => {
    let body = '';
    response.on('data', (chunk) => (body += String(chunk)));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }),
    );
  })
    .on('error', reject)
    .end();
  return promise;
}

const resource = async (port: KubeletPort): Promise<string> =>
  (await call(port, '/metrics/resource', { token: 'may-metrics' })).body;

/** The pods of which a processor is shown, and the error flag. */
async function shown(port: KubeletPort): Promise<readonly string[]> {
  const text = await resource(port);
  const pods = [...text.matchAll(/^container_cpu_usage_seconds_total\{container="(.+)",pod="(.+)",/gm)];
  return [
    ...pods.map(([, container, pod]) => `${pod}/${container}`),
    ...(/^scrape_error 1$/m.test(text) ? ['error'] : []),
  ];
}

const measures = (): Measures => ({ meter, probeCounts: () => [], isListed: () => true });
const leaderDoor: MetricsDoor = { measures, leaderAddress: () => undefined };

beforeAll(async () => {
  ca = await createCertificateAuthority('ca');
  serving = await issueCertificate(ca, {
    commonName: 'system:node:aci-1',
    ipAddresses: ['10.0.0.1'],
    usages: ['server'],
  });
  writeFileSync(join(dir, 'ca.crt'), ca.certPem);
  writeFileSync(join(dir, 'tls.crt'), serving.certPem);
  writeFileSync(join(dir, 'tls.key'), serving.keyPem);
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

beforeEach(async () => {
  apiServer = await cannedServer(review);
  statsPort = 0;
  monotonicMs = 0;
  meter = new ResourceMeter({
    nodes: ['aci-1'],
    fetch: (host) => fetchStats(host, statsPort),
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() + monotonicMs },
  });
});

afterEach(async () => {
  await Promise.all(ports.splice(0).map((port) => port.close()));
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  await apiServer[Symbol.asyncDispose]();
});

describe('who may ask', () => {
  it.each([
    ['/metrics/resource', 'metrics'],
    ['/metrics/probes', 'metrics'],
    ['/stats/summary', 'stats'],
  ])('%s needs nodes/%s', async (path, subresource) => {
    const port = await openPort(leaderDoor);
    expect((await call(port, path)).status).toBe(401);
    expect((await call(port, path, { token: 'may-proxy' })).status).toBe(403);
    expect((await call(port, path, { token: `may-${subresource}`, method: 'POST' })).status).toBe(403);
    expect((await call(port, path, { token: `may-${subresource}` })).status).toBe(200);
  });
});

describe('what is answered', () => {
  it('each container of each pod, the node as their sum, and nothing of what the platform runs beside them', async () => {
    run('web', await listen(says(() => stats(['app', 'log', 'agent'], 6))), ['app', 'log']);
    run('db', await listen(says(() => stats(['app'], 30))));
    const port = await openPort(leaderDoor);
    const { status, type, body } = await call(port, '/metrics/resource', { token: 'may-metrics' });
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toMatch(
      /^container_cpu_usage_seconds_total\{container="log",pod="web",namespace="default"\} 6 1\d{12}$/m,
    );
    expect(body).toMatch(/^pod_cpu_usage_seconds_total\{namespace="default",pod="web"\} 12 1\d{12}$/m);
    expect(body).toMatch(/^node_memory_working_set_bytes 60000000 1\d{12}$/m);
    expect(body).not.toContain('agent');
    const summary = JSON.parse((await call(port, '/stats/summary', { token: 'may-stats' })).body);
    expect(summary).toMatchObject({
      node: { nodeName: 'aci-1', memory: { workingSetBytes: 6e7 } },
      pods: [
        { podRef: { name: 'web', namespace: 'default', uid: 'u-web' }, network: { rxBytes: 5, txBytes: 6 } },
        { podRef: { name: 'db' }, containers: [{ name: 'app', cpu: { usageCoreNanoSeconds: 30e9 } }] },
      ],
    });
    const brief = await call(port, '/stats/summary?only_cpu_and_memory=true', { token: 'may-stats' });
    expect(brief.body).not.toContain('network');
  });

  it('a node without pods is idle, and not unknown', async () => {
    const text = await resource(await openPort(leaderDoor));
    expect(text).toMatch(/^node_cpu_usage_seconds_total 0\.001 /m);
    expect(text).toMatch(/^node_memory_working_set_bytes 1 /m);
  });

  it('is asked of the pods once in five seconds, whoever asks and however many at once', async () => {
    let asked = 0;
    run('web', await listen(says(() => stats(['app'], (asked += 1)))));
    const port = await openPort(leaderDoor);
    await Promise.all([resource(port), resource(port), call(port, '/stats/summary', { token: 'may-stats' })]);
    await resource(port);
    expect(asked).toBe(1);
    monotonicMs += 6000;
    await resource(port);
    expect(asked).toBe(2);
  });
});

describe('pods that mean no good, or do not answer', () => {
  const garbage: readonly (readonly [string, RequestListener])[] = [
    ['never answers', () => undefined],
    ['begins, and never ends', (_request, response) => void response.writeHead(200).write('{"timestamp":')],
    ['hangs up', (incoming) => void incoming.socket.destroy()],
    ['says what makes no sense', says(() => '<html>')],
    ['says more than is read', says(() => `${' '.repeat(70_000)}${stats(['app'], 1)}`)],
    ['refuses', says(() => stats(['app'], 1), 403)],
    ['sends elsewhere', says(() => '', 302, { location: `http://127.0.0.2/v1/stats` })],
    [
      'switches protocols',
      (_request, response) => void response.writeHead(101, { connection: 'upgrade', upgrade: 'x' }).end(),
    ],
    ['leaves a container out', says(() => stats(['other'], 1))],
    ['counts backwards', says(() => stats(['app'], -5))],
  ];

  it.each(garbage)('one that %s spoils no answer: the others are there within three seconds', async (_, listener) => {
    run('good', await listen(says(() => stats(['app'], 3))));
    run('bad', await listen(listener));
    const port = await openPort(leaderDoor);
    const begun = performance.now();
    expect(await shown(port)).toEqual(['good/app', 'error']);
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('one where nothing listens is left out too; where none is known, the node is not said to be idle', async () => {
    await listen(says(() => ''));
    run('gone', `127.0.0.${(address += 1)}`);
    const port = await openPort(leaderDoor);
    expect(await shown(port)).toEqual(['error']);
    expect(await resource(port)).not.toContain('node_cpu');
  });

  it('two hundred that are silent hold up nobody, and are asked less often then', async () => {
    const silent = await listen(() => undefined);
    run('good', await listen(says(() => stats(['app'], 3))));
    for (let index = 0; index < 200; index += 1) run(`silent-${index}`, silent);
    const port = await openPort(leaderDoor);
    for (let turn = 0; turn < 3; turn += 1) {
      const begun = performance.now();
      expect(await shown(port)).toEqual(['good/app', 'error']);
      expect(performance.now() - begun).toBeLessThan(6000);
      monotonicMs += 6000;
    }
    const begun = performance.now();
    expect(await shown(port)).toEqual(['good/app', 'error']);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it('what one says of itself counts for the node up to what its group has', async () => {
    run('boaster', await listen(says(() => stats(['app'], 9e9))));
    const port = await openPort(leaderDoor);
    await resource(port);
    const seconds = Number(/^node_cpu_usage_seconds_total (\S+)/m.exec(await resource(port))?.[1]);
    expect(seconds).toBeLessThan(60);
  });
});

describe('a replica that does not lead', () => {
  it('has the leader answer, who sees by its certificate that a replica asks', async () => {
    run('web', await listen(says(() => stats(['app'], 3))));
    const leader = await openPort(leaderDoor, { address: '127.0.0.2', port: 0 });
    const follower = await openPort(
      { measures: () => undefined, leaderAddress: () => '127.0.0.2' },
      { address: '127.0.0.1', port: leader.port },
    );
    expect(await shown(follower)).toEqual(['web/app']);
    const before = apiServer.received.length;
    const summary = await call(follower, '/stats/summary', { token: 'may-stats' });
    expect([summary.type, JSON.parse(summary.body).node.nodeName]).toEqual(['application/json', 'aci-1']);
    // One token and one access: the follower's own questions; the leader asked nobody.
    expect(apiServer.received.length - before).toBe(2);
  });

  it('says so when nobody leads, when the leader is gone, and when who is taken for it has another certificate', async () => {
    const nobody = await openPort({ measures: () => undefined, leaderAddress: () => undefined });
    expect((await call(nobody, '/metrics/resource', { token: 'may-metrics' })).status).toBe(503);
    const gone = await openPort({ measures: () => undefined, leaderAddress: () => '127.0.0.3' });
    expect((await call(gone, '/metrics/resource', { token: 'may-metrics' })).status).toBe(503);
    let heard = 0;
    const other = await issueCertificate(ca, { commonName: 'system:node:aci-1', usages: ['server'] });
    const stranger = createTlsServer({ cert: other.certPem, key: other.keyPem }, (_request, response) => {
      heard += 1;
      response.end('node_cpu_usage_seconds_total 1');
    });
    servers.push(stranger);
    await new Promise<void>((resolve) => stranger.listen(gone.port, '127.0.0.3', resolve));
    expect((await call(gone, '/metrics/resource', { token: 'may-metrics' })).status).toBe(503);
    expect(heard).toBe(0);
  });

  it('two that take each other for the leader do not ask in a circle', async () => {
    const first = await openPort({ measures: () => undefined, leaderAddress: () => '127.0.0.2' });
    await openPort(
      { measures: () => undefined, leaderAddress: () => '127.0.0.1' },
      { address: '127.0.0.2', port: first.port },
    );
    expect(await call(first, '/metrics/resource', { token: 'may-metrics' })).toMatchObject({
      status: 503,
      body: 'no replica measures the pods now\n',
    });
  });

  it("the pair lets nobody do anything else, and another pair of the node's name nothing at all", async () => {
    const leader = await openPort(leaderDoor);
    expect((await call(leader, '/metrics/resource', { pair: serving })).status).toBe(200);
    for (const path of ['/pods', '/containerLogs/ns/p/c', '/exec/ns/p/c', '/metrics/resource/x', '/metrics'])
      expect((await call(leader, path, { pair: serving })).status).toBe(401);
    expect((await call(leader, '/metrics/resource', { pair: serving, method: 'POST' })).status).toBe(401);
    const other = await issueCertificate(ca, { commonName: 'system:node:aci-1', usages: ['server'] });
    expect((await call(leader, '/metrics/resource', { pair: other })).status).toBe(401);
  });

  it('nothing is said before the pods are listed', async () => {
    const early = { measures: () => ({ ...measures(), isListed: () => false }), leaderAddress: () => undefined };
    const port = await openPort(early);
    expect((await call(port, '/metrics/resource', { token: 'may-metrics' })).status).toBe(503);
  });
});
