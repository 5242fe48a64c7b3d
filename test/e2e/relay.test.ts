/** The relay's own process between a real API server and an app that answers as it is reported. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attachment } from '../../infra/local/cluster/attach.ts';
import { requestToken } from '../../infra/local/cluster/attach.ts';
import type { ControlPlane } from '../../infra/local/cluster/control-plane.ts';
import { kubectl, kubectlOutput } from '../../infra/local/cluster/kubectl.ts';
import type { KeyPair } from '../../infra/local/pki.ts';
import { until } from '../relay/fake-app.ts';
import type { FakeApp } from '../relay/fake-app.ts';
import { RelayRig, audience, node, otherNode, pod, running } from './relay-rig.ts';
import type { RunningRelay } from './relay-rig.ts';

let rig: RelayRig;
let cluster: ControlPlane;
let attached: Attachment;
let app: FakeApp;
let relay: RunningRelay;

const apply = (...items: readonly object[]): Promise<void> => rig.apply(...items);
const get = (...args: readonly string[]): Promise<string> => rig.get(...args);
const uidOf = (name: string): Promise<string> => rig.uidOf(name);
const patchStatus = (name: string, status: object): Promise<void> => rig.patchStatus(name, status);

const ended = {
  phase: 'Succeeded',
  containerStatuses: [
    {
      name: 'main',
      image: 'busybox',
      imageID: 'x',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode: 0, startedAt: '2026-11-23T11:00:00Z', finishedAt: '2026-11-23T11:00:09Z' } },
    },
  ],
};

/** A request to a node's port, past the API server. */
async function callPort(
  path: string,
  credential: { token?: string; certificate?: KeyPair } = {},
  { method = 'GET', port = rig.ports[0] ?? 0 } = {},
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const { token, certificate } = credential;
  request(
    {
      host: '127.0.0.1',
      port,
      path,
      method,
      ca: cluster.caPem,
      agent: false,
      ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    },
    (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    },
  )
    .on('error', reject)
    .end();
  return promise;
}

beforeAll(async () => {
  rig = await RelayRig.start();
  ({ cluster, attached, app } = rig);
  await apply(pod('early'));
  relay = await rig.startRelay();
});

afterAll(async () => {
  await relay?.stop(3000);
  await rig?.close();
});

describe('pods reach the app', () => {
  it('a snapshot at start holds the pods that were there, under the relay account, with the right audience', async () => {
    const uid = await uidOf('early');
    await until('the snapshot', () => app.posts.some(({ kind }) => kind === 'snapshot') && app.uids.includes(uid));
    const { path, authorization = '' } = app.requests[0] ?? { path: '' };
    expect(path).toBe(`/api/clusters/${attached.clusterUid}/pod-events`);
    const claims = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ aud: [audience], sub: 'system:serviceaccount:serverless-kubelet:relay' });
  });

  it('a pod bound to a node is posted in a moment, with its node', async () => {
    await apply(pod('bound'), pod('elsewhere', otherNode));
    const uids = [await uidOf('bound'), await uidOf('elsewhere')];
    await until('both keys', () => uids.every((uid) => app.uids.includes(uid)));
    const keys = app.posts.flatMap(({ pods }) => pods);
    expect(keys.find(({ uid }) => uid === uids[0])).toMatchObject({ node, namespace: 'default', name: 'bound' });
    expect(keys.find(({ uid }) => uid === uids[1])).toMatchObject({ node: otherNode });
  });

  it('our own status patch is posted when it says something new, and only then', async () => {
    const uid = await uidOf('bound');
    const count = () => app.uids.filter((one) => one === uid).length;
    const before = count();
    await patchStatus('bound', running());
    await until('the phase', () => count() > before);
    const then = count();
    await patchStatus('bound', running(1));
    await sleep(1000);
    expect(count()).toBe(then);
    await patchStatus('bound', running());
  });

  it('a delete is posted with its deletionTimestamp, and once more when the pod is gone', async () => {
    await apply(pod('doomed'));
    const uid = await uidOf('doomed');
    await kubectlOutput(['delete', 'pod', 'doomed', '--wait=false'], cluster.kubectl);
    const keys = () => app.posts.flatMap(({ pods }) => pods).filter((key) => key.uid === uid);
    await until('the deletion', () => keys().some((key) => key.deletionTimestamp !== undefined));
    const before = keys().length;
    await kubectlOutput(['delete', 'pod', 'doomed', '--force', '--grace-period=0'], cluster.kubectl);
    await until('the end', () => keys().length > before);
    expect(new Set(keys().map((key) => key.name))).toEqual(new Set(['doomed']));
  });

  it('what changed while the API server was killed and started again arrives', async () => {
    await cluster.restartApiServer();
    await apply(pod('after-restart'));
    const uid = await uidOf('after-restart');
    await until('its key', () => app.uids.includes(uid), 60_000);
    expect(app.overlapping).toEqual([]);
  });

  it('posts only what the schema of the app takes', () => {
    expect(app.malformed).toEqual([]);
  });
});

describe('the kubelet port, as the API server calls it', () => {
  it('shows a log by kubectl logs, with tail and timestamps', async () => {
    await patchStatus('bound', running());
    const lines = ['one', 'two', 'three'].map((text, n) => `2026-11-23T11:00:0${n}.000000000Z ${text}\n`);
    app.logs = (path) => ({ status: 200, body: lines.slice(path.includes('tail=2') ? 1 : 0).join('') });
    expect(await kubectlOutput(['logs', 'bound'], cluster.kubectl)).toBe('one\ntwo\nthree\n');
    expect(await kubectlOutput(['logs', 'bound', '--tail=2'], cluster.kubectl)).toBe('two\nthree\n');
    expect(await kubectlOutput(['logs', 'bound', '--timestamps'], cluster.kubectl)).toBe(lines.join(''));
    expect(await kubectlOutput(['logs', 'bound', '--limit-bytes=5'], cluster.kubectl)).toBe('one\nt');
    const uid = await uidOf('bound');
    const path = app.requests.at(-1)?.path;
    expect(path).toBe(
      `/api/clusters/${attached.clusterUid}/nodes/${node}/pods/default/bound/${uid}/containers/main/logs`,
    );
  });

  it('follows until the container has ended, and shows each line once', async () => {
    let content = '2026-11-23T11:00:00.000000000Z first\n';
    app.logs = () => ({ status: 200, body: content });
    const followed = kubectlOutput(['logs', '-f', 'bound'], cluster.kubectl);
    await sleep(1500);
    content += '2026-11-23T11:00:03.000000000Z second\n';
    await sleep(2500);
    content += '2026-11-23T11:00:06.000000000Z last\n';
    await patchStatus('bound', ended);
    expect(await followed).toBe('first\nsecond\nlast\n');
  });

  it('says why there is no log', async () => {
    const waiting = await kubectl(['logs', 'early'], cluster.kubectl);
    expect(waiting.code).not.toBe(0);
    expect(waiting.stderr).toContain('container "main" in pod "early" is waiting to start: ContainerCreating');
    const previous = await kubectl(['logs', '--previous', 'bound'], cluster.kubectl);
    expect(previous.stderr).toContain('previous terminated container "main" in pod "bound" not found');
  });

  it('exec into what does not run is refused with one sentence', async () => {
    const { code, stderr } = await kubectl(['exec', 'early', '--', 'ls'], cluster.kubectl);
    expect(code).not.toBe(0);
    expect(stderr).toContain('container not found ("main")');
  });
});

describe('the kubelet port, to everybody else', () => {
  const token = (serviceAccount: string, namespace = 'default') =>
    requestToken({ kubectl: cluster.kubectl, namespace, serviceAccount, durationSeconds: 3600 }).then(
      (one) => one.token,
    );

  it('knows nobody without a credential', async () => {
    expect(await callPort('/pods')).toEqual({ status: 401, body: 'Unauthorized\n' });
    expect(await callPort('/healthz', { token: 'not-a-token' })).toEqual({ status: 401, body: 'Unauthorized\n' });
  });

  it('forbids an account without rights', async () => {
    const answer = await callPort('/containerLogs/default/bound/main', { token: await token('default') });
    expect(answer.status).toBe(403);
    expect(answer.body).toBe(
      'Forbidden (user=system:serviceaccount:default:default, verb=get, resource=nodes, subresource(s)=[proxy])\n',
    );
  });

  it('lets an account with nodes/pods list the pods of that node alone, and nothing more', async () => {
    await kubectlOutput(['create', 'serviceaccount', 'reader'], cluster.kubectl);
    const rule = { apiGroups: [''], resources: ['nodes/pods'], verbs: ['get'], resourceNames: [node] };
    await apply(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'pods-of-node' },
        rules: [rule],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'pods-of-node' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'pods-of-node' },
        subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
      },
    );
    const credential = { token: await token('reader') };
    const answer = await callPort('/pods', credential);
    expect(answer.status).toBe(200);
    const list = JSON.parse(answer.body);
    expect(list.kind).toBe('PodList');
    const names: string[] = list.items.map((one: { metadata: { name: string } }) => one.metadata.name);
    expect(names).toContain('early');
    expect(names).not.toContain('elsewhere');
    expect((await callPort('/pods', credential, { port: rig.ports[1] ?? 0 })).status).toBe(403);
    expect((await callPort('/healthz', credential)).status).toBe(403);
  });

  it("believes a certificate of the cluster's client CA only", async () => {
    const certificate = await cluster.issueCertificate({
      commonName: 'someone',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    expect(await callPort('/healthz', { certificate })).toEqual({ status: 200, body: 'ok\n' });
    const serving = await cluster.issueCertificate({
      commonName: 'someone',
      organizations: ['system:masters'],
      usages: ['server'],
    });
    expect((await callPort('/healthz', { certificate: serving })).status).toBe(401);
    const missing = [
      ['/containerLogs/default/elsewhere/main', 404],
      ['/containerLogs/default/none/main', 404],
      ['/containerLogs/default/bound/none', 404],
      ['/stats/summary', 200],
      ['/metrics/cadvisor', 501],
      ['/configz', 404],
      ['/containerLogs/default/../default/bound/main', 404],
    ] as const;
    for (const [path, status] of missing) expect((await callPort(path, { certificate })).status).toBe(status);
    expect((await callPort('/run/default/bound/main', { certificate }, { method: 'POST' })).status).toBe(501);
    expect((await callPort('/pods', { certificate }, { method: 'DELETE' })).status).toBe(405);
  });
});

describe('the renewal of the Lease', () => {
  it('a Lease that nobody renews: the app is called after 20 s, and 10 s later the relay renews it, with an event', async () => {
    const renewTime = () => get('lease', '-n', 'kube-node-lease', node, '-o', 'jsonpath={.spec.renewTime}');
    await rig.renewLease(node);
    const before = await renewTime();
    const startedAt = performance.now();
    const ticks = app.ticks.length;
    await until('the call', () => app.ticks.length > ticks, 30_000);
    expect(await renewTime()).toBe(before);
    await until('the renewal', async () => (await renewTime()) !== before, 45_000);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(25_000);
    expect(Date.parse(await renewTime())).toBeLessThanOrEqual(Date.now());
    await until('the event', async () => (await get('events', '-A')).includes('LeaseRenewedByRelay'));
    expect(await kubectlOutput(['describe', 'node', node], cluster.kubectl)).toContain('LeaseRenewedByRelay');
  });

  it('a Node that is gone: the app is called at once, and the relay creates nothing', async () => {
    await rig.renewLease(otherNode);
    await sleep(6000);
    const ticks = app.ticks.length;
    await kubectlOutput(['delete', 'node', otherNode, '--wait=false'], cluster.kubectl);
    await until('the call', () => app.ticks.length > ticks, 20_000);
    await sleep(3000);
    expect((await kubectl(['get', 'node', otherNode], cluster.kubectl)).code).not.toBe(0);
  });
});

describe('the end of the process', () => {
  it('SIGTERM ends it; a new one begins with a snapshot of its own epoch', async () => {
    const epochs = () => new Set(app.posts.map(({ epoch }) => epoch));
    expect(epochs().size).toBe(1);
    expect(await relay.stop(10_000)).toEqual({ code: 0, signal: null });
    const log = readFileSync(join(rig.dir, 'relay.log'), 'utf8');
    expect(log).not.toContain(attached.relayToken);
    relay = await rig.startRelay();
    await until('its snapshot', () => epochs().size === 2);
  });

  it('closing its standard input ends it', async () => {
    relay.stdin?.end();
    expect(await relay.exited).toEqual({ code: 0, signal: null });
  });
});
