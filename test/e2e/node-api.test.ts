/** `NodeApi` and `ClusterApi` against a real API server; @kubernetes/client-node, as administrator, reads what they wrote. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoordinationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attachment, attachNodes, requestToken } from '../../infra/local/cluster/attach.ts';
import { ensureControlPlane } from '../../infra/local/cluster/build.ts';
import { type ControlPlane, startControlPlane } from '../../infra/local/cluster/control-plane.ts';
import { createProgress } from '../../infra/local/progress.ts';
import { createClusterApi } from '../../shared/adapters/kubernetes/cluster-api.ts';
import {
  type KubernetesClient,
  asNode,
  createKubernetesClient,
  openWatch,
} from '../../shared/adapters/kubernetes/http.ts';
import { createNodeApi } from '../../shared/adapters/kubernetes/node-api.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { NodeTemplate } from '../../shared/core/kubernetes/node.ts';
import type { Pod, PodStatus } from '../../shared/core/kubernetes/pod.ts';
import type { ClusterApi, NodeApi } from '../../shared/ports/node-api.ts';

const node = 'aci-1';
const otherNode = 'aci-2';
const namespace = 'default';
const never = new AbortController().signal;

let dir = '';
let cluster: ControlPlane;
let attached: Attachment;
let client: KubernetesClient;
let api: NodeApi;
let clusterApi: ClusterApi;
let core: CoreV1Api;
let coordination: CoordinationV1Api;

const template: NodeTemplate = {
  name: node,
  labels: {
    type: 'virtual-kubelet',
    'kubernetes.azure.com/managed': 'false',
    'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
    'node.kubernetes.io/instance-type': 'aci',
    'topology.kubernetes.io/region': 'westeurope',
    'topology.kubernetes.io/zone': 'westeurope-1',
  },
  annotations: { 'example.com/owner': 'installation-1' },
  taints: [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }],
  status: {
    capacity: { cpu: '100', memory: '400Gi', pods: '100', 'example.com/gone': '1' },
    allocatable: { cpu: '100', memory: '400Gi', pods: '100', 'example.com/gone': '1' },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'ready',
        lastHeartbeatTime: '2026-11-23T05:00:00Z',
        lastTransitionTime: '2026-11-23T05:00:00Z',
      },
    ],
    addresses: [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'Hostname', address: node },
    ],
    kubeletPort: 10250,
    nodeInfo: {
      machineID: 'm',
      systemUUID: 's',
      bootID: 'b',
      kernelVersion: 'k',
      osImage: 'o',
      containerRuntimeVersion: 'aci://2023-05-01',
      kubeletVersion: 'v1.36.3-aci.0',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  },
};

/** The value, or the fault as the test's failure. */
function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.value;
}

const faultOf = <T>(result: Result<T>) => (result.ok ? undefined : result.fault);

/** The authorizer's graph follows the pods a moment later. */
async function eventually<T>(call: () => Promise<Result<T>>): Promise<T> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const result = await call();
    if (result.ok) return result.value;
    await sleep(100);
  }
  return valueOf(await call());
}

async function createPod(name: string, nodeName = node, secretName?: string): Promise<void> {
  const env =
    secretName === undefined ? [] : [{ name: 'S', valueFrom: { secretKeyRef: { name: secretName, key: 'k' } } }];
  await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name },
      spec: { nodeName, tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'busybox', env }] },
    },
  });
}

async function podOf(name: string): Promise<Pod> {
  const pod = valueOf(await api.getPod({ namespace, name }, never));
  if (pod === undefined) throw new Error(`no pod ${name}`);
  return pod;
}

const running = (pod: Pod, over: Partial<PodStatus> = {}): PodStatus => ({
  phase: 'Running',
  startTime: '2026-11-23T05:00:00Z',
  hostIP: '10.0.0.1',
  podIP: '10.9.0.7',
  observedGeneration: pod.metadata.generation,
  conditions: [
    { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [c]' },
    { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' },
  ],
  initContainerStatuses: [],
  containerStatuses: [
    {
      name: 'c',
      image: 'busybox',
      imageID: '',
      containerID: 'aci://1/c',
      ready: true,
      started: true,
      restartCount: 1,
      state: { kind: 'running', startedAt: '2026-11-23T05:00:05Z' },
      lastState: { kind: 'terminated', exitCode: 3, reason: 'Error', finishedAt: '2026-11-23T05:00:04Z' },
    },
  ],
  ...over,
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'node-api-'));
  const progress = createProgress();
  cluster = await startControlPlane({ stateDir: dir, binaries: await ensureControlPlane({ progress }), progress });
  attached = await attachNodes({ kubectl: cluster.kubectl, nodes: [node] });
  client = createKubernetesClient({
    server: attached.endpoint.url,
    caPem: attached.caPem,
    getToken: async () => attached.appToken,
    requestTimeoutMs: 10_000,
    userAgent: 'serverless-kubelet-test/1',
  });
  api = createNodeApi(client, node);
  clusterApi = createClusterApi(client, { reviewAsNode: node });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfigPath);
  core = kubeConfig.makeApiClient(CoreV1Api);
  coordination = kubeConfig.makeApiClient(CoordinationV1Api);
  await core.createNode({ body: { metadata: { name: otherNode } } });
});

afterAll(async () => {
  client?.close();
  await cluster?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the node', () => {
  it('is not there at first', async () => {
    expect(faultOf(await api.getNode(never))).toMatchObject({ kind: 'not-found', code: 'NotFound' });
    expect(Math.abs((api.now() ?? 0) - Date.now())).toBeLessThan(3000);
  });

  it('is created whole, in one POST', async () => {
    const created = valueOf(await api.createNode(template, never));
    const read = await core.readNode({ name: node });
    expect(read.metadata?.uid).toBe(created.metadata.uid);
    expect(read.metadata?.labels).toMatchObject(template.labels);
    expect(read.metadata?.annotations).toMatchObject(template.annotations);
    expect(read.spec?.taints).toContainEqual(template.taints[0]);
    expect(read.status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(10250);
    expect(read.status?.nodeInfo).toMatchObject(template.status.nodeInfo);
    expect(created.status.addresses).toStrictEqual(template.status.addresses);
    expect(created.unschedulable).toBe(false);
  });

  it('is not created twice', async () => {
    expect(faultOf(await api.createNode(template, never))).toMatchObject({ kind: 'conflict', code: 'AlreadyExists' });
  });

  it('is not created under another name, nor with a label that a node may not set', async () => {
    expect(faultOf(await api.createNode({ ...template, name: 'aci-9' }, never))?.kind).toBe('denied');
    const labels = { ...template.labels, 'node-role.kubernetes.io/agent': '' };
    expect(faultOf(await api.createNode({ ...template, labels }, never))?.kind).toBe('denied');
  });

  it('status: what is gone goes, conditions of others stay', async () => {
    const foreign = { type: 'example.com/Foreign', status: 'True', reason: 'R', message: 'm' };
    await core.patchNodeStatus({
      name: node,
      body: [{ op: 'add', path: '/status/conditions/-', value: foreign }],
    });
    const patch = {
      ...template.status,
      capacity: { cpu: '50' },
      allocatable: { cpu: '40' },
      addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
      kubeletPort: 10251,
    };
    const patched = valueOf(await api.patchNodeStatus(patch, never));
    expect(patched.status).toMatchObject({ capacity: { cpu: '50' }, allocatable: { cpu: '40' }, kubeletPort: 10251 });
    expect(patched.status.capacity).not.toHaveProperty('example.com/gone');
    expect(patched.status.addresses).toStrictEqual(patch.addresses);
    const read = await core.readNode({ name: node });
    expect(read.status?.conditions?.map(({ type }) => type)).toStrictEqual(
      expect.arrayContaining(['Ready', 'example.com/Foreign']),
    );
  });

  it('Lease: created, renewed, and not by one who has not seen the last renewal', async () => {
    expect(faultOf(await api.getLease(never))?.kind).toBe('not-found');
    const { uid } = valueOf(await api.getNode(never)).metadata;
    const renewTimeMicros = Date.now() * 1000 + 123;
    const lease = { name: node, ownerUid: uid, holderIdentity: node, leaseDurationSeconds: 40, renewTimeMicros };
    const created = valueOf(await api.createLease(lease, never));
    expect(created).toMatchObject(lease);
    const renewed = valueOf(await api.updateLease({ ...created, renewTimeMicros: renewTimeMicros + 1_000_001 }, never));
    expect(valueOf(await api.getLease(never))).toStrictEqual(renewed);
    expect(faultOf(await api.updateLease(created, never))).toMatchObject({ kind: 'conflict', code: 'Conflict' });
    expect(faultOf(await api.createLease(lease, never))).toMatchObject({ kind: 'conflict', code: 'AlreadyExists' });
    const read = await coordination.readNamespacedLease({ namespace: 'kube-node-lease', name: node });
    expect(read.metadata?.ownerReferences).toMatchObject([{ kind: 'Node', name: node, uid }]);
    expect(read.spec?.leaseDurationSeconds).toBe(40);
    expect(Date.parse(String(read.spec?.renewTime))).toBe(Math.floor((renewTimeMicros + 1_000_001) / 1000));
  });

  it('Lease: deleted, and deleting it again is no fault', async () => {
    expect(await api.deleteLease(never)).toStrictEqual({ ok: true, value: undefined });
    expect(await api.deleteLease(never)).toStrictEqual({ ok: true, value: undefined });
  });

  it('events can be written in default, once', async () => {
    const { uid } = valueOf(await api.getNode(never)).metadata;
    const event = {
      involved: { kind: 'Node', namespace: '', name: node, uid },
      type: 'Normal',
      reason: 'Starting',
      message: 'm',
      at: new Date().toISOString(),
      dedupeKey: 'k',
    } as const;
    valueOf(await api.createEvent(event, never));
    valueOf(await api.createEvent(event, never));
    const { items } = await core.listNamespacedEvent({
      namespace,
      fieldSelector: `involvedObject.uid=${uid},reason=Starting`,
    });
    expect(items).toHaveLength(1);
    expect(items[0]?.source).toMatchObject({ component: 'serverless-kubelet', host: node });
  });
});

describe('pods', () => {
  it('of this node are listed; one of another node, or none, is absent', async () => {
    await createPod('p');
    await createPod('q', otherNode);
    expect(valueOf(await api.listPods(never)).map(({ metadata }) => metadata.name)).toStrictEqual(['p']);
    expect((await podOf('p')).spec.containers[0]?.image).toBe('busybox');
    expect(await api.getPod({ namespace, name: 'q' }, never)).toStrictEqual({ ok: true, value: undefined });
    expect(await api.getPod({ namespace, name: 'nothing' }, never)).toStrictEqual({ ok: true, value: undefined });
  });

  it('status is written, conditions of others stay, and it is read back as it was written', async () => {
    const before = await podOf('p');
    await core.patchNamespacedPodStatus({
      namespace,
      name: 'p',
      body: [
        { op: 'add', path: '/status/conditions', value: [{ type: 'example.com/gate', status: 'True', reason: 'G' }] },
      ],
    });
    expect(faultOf(await api.patchPodStatus(before, running(before), never))).toMatchObject({
      kind: 'conflict',
      code: 'Conflict',
    });
    const fresh = await podOf('p');
    const status = running(fresh);
    const patched = valueOf(await api.patchPodStatus(fresh, status, never));
    expect(patched.status).toMatchObject({
      phase: 'Running',
      podIP: '10.9.0.7',
      hostIP: '10.0.0.1',
      observedGeneration: fresh.metadata.generation,
      containerStatuses: status.containerStatuses,
    });
    const read = await core.readNamespacedPod({ namespace, name: 'p' });
    expect(read.status?.conditions?.map(({ type }) => type).toSorted()).toStrictEqual(['Ready', 'example.com/gate']);
    expect(read.status?.podIPs?.map(({ ip }) => ip)).toStrictEqual(['10.9.0.7']);
    expect(read.status?.qosClass).toBe('BestEffort');
  });

  it('status: addresses change and go, a reason is taken back, others’ conditions still stand', async () => {
    const pod = await podOf('p');
    const moved = running(pod, {
      podIP: '10.9.0.8',
      reason: 'R',
      message: 'm',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-23T05:00:06Z' }],
    });
    const second = valueOf(await api.patchPodStatus(pod, moved, never));
    expect(second.status).toMatchObject({ podIP: '10.9.0.8', reason: 'R', message: 'm' });
    const ready = (await core.readNamespacedPod({ namespace, name: 'p' })).status?.conditions?.find(
      ({ type }) => type === 'Ready',
    );
    expect(ready).toMatchObject({ status: 'True' });
    expect(ready?.reason ?? '').toBe('');
    const { podIP: _, reason: __, message: ___, ...cleared } = moved;
    valueOf(await api.patchPodStatus(second, cleared, never));
    const read = await core.readNamespacedPod({ namespace, name: 'p' });
    expect(read.status?.podIPs ?? []).toStrictEqual([]);
    expect(read.status?.podIP).toBeUndefined();
    expect(read.status?.reason).toBeUndefined();
    expect(read.status?.conditions?.map(({ type }) => type)).toContain('example.com/gate');
  });

  it.each([
    ['was re-created here', node],
    ['was re-created elsewhere', otherNode],
  ])('status of one that %s is not-found, and its delete touches nothing', async (_, nodeName) => {
    await createPod('r');
    const old = await podOf('r');
    await core.deleteNamespacedPod({ namespace, name: 'r', gracePeriodSeconds: 0 });
    await createPod('r', nodeName);
    expect(faultOf(await api.patchPodStatus(old, running(old), never))?.kind).toBe('not-found');
    expect(await api.deletePod(old, {}, never)).toStrictEqual({ ok: true, value: undefined });
    expect((await core.readNamespacedPod({ namespace, name: 'r' })).metadata?.deletionTimestamp).toBeUndefined();
    await core.deleteNamespacedPod({ namespace, name: 'r', gracePeriodSeconds: 0 });
  });

  it('status of one that is gone is not-found', async () => {
    await createPod('r');
    const old = await podOf('r');
    valueOf(await api.deletePod(old, {}, never));
    expect(faultOf(await api.patchPodStatus(old, running(old), never))?.kind).toBe('not-found');
    expect(await api.deletePod(old, {}, never)).toStrictEqual({ ok: true, value: undefined });
  });

  it('a wrong status is rejected', async () => {
    const pod = await podOf('p');
    expect(faultOf(await api.patchPodStatus(pod, running(pod, { podIP: 'not an address' }), never))).toMatchObject({
      kind: 'rejected',
      code: 'Invalid',
    });
  });

  it('are deleted gracefully, then for good', async () => {
    await createPod('d');
    const pod = await podOf('d');
    valueOf(await api.deletePod(pod, { gracePeriodSeconds: 30 }, never));
    expect((await podOf('d')).metadata.deletionTimestamp).toBeDefined();
    valueOf(await api.deletePod(pod, {}, never));
    expect(await api.getPod({ namespace, name: 'd' }, never)).toStrictEqual({ ok: true, value: undefined });
  });
});

describe('what pods refer to', () => {
  it('a secret that a pod of this node names is read; others are denied', async () => {
    for (const name of ['mine', 'theirs']) {
      await core.createNamespacedSecret({
        namespace,
        body: { metadata: { name }, stringData: { k: `planted-${name}` } },
      });
    }
    await createPod('s', node, 'mine');
    const secret = await eventually(() => api.getSecret({ namespace, name: 'mine' }, never));
    expect(Buffer.from(secret.data['k'] ?? []).toString('utf8')).toBe('planted-mine');
    const refused = await api.getSecret({ namespace, name: 'theirs' }, never);
    expect(faultOf(refused)?.kind).toBe('denied');
    expect(JSON.stringify(refused)).not.toContain('planted');
  });

  it('the cluster’s CA, as a ConfigMap', async () => {
    const created = (await podOf('s')).spec.volumes.map(({ source }) => source.kind);
    expect(created).toContain('projected');
    const configMap = await eventually(() => api.getConfigMap({ namespace, name: 'kube-root-ca.crt' }, never));
    expect(configMap.data['ca.crt']).toContain('BEGIN CERTIFICATE');
  });

  it('services with a cluster IP', async () => {
    await core.createNamespacedService({
      namespace,
      body: { metadata: { name: 'web' }, spec: { ports: [{ name: 'http', port: 80 }] } },
    });
    await core.createNamespacedService({
      namespace,
      body: { metadata: { name: 'headless' }, spec: { clusterIP: 'None', ports: [{ port: 80 }] } },
    });
    const services = valueOf(await api.listServices(namespace, never));
    expect(services.map(({ name }) => name).toSorted()).toStrictEqual(['kubernetes', 'web']);
    expect(services.find(({ name }) => name === 'kubernetes')?.clusterIP).toBe(cluster.kubernetesServiceAddress);
  });

  it('a token bound to a pod of this node is given, for an audience that the pod names; an unbound one, or another pod’s, is denied', async () => {
    const pod = await podOf('s');
    const wanted = { namespace, serviceAccountName: 'default', audiences: [], expirationSeconds: 3607 };
    const token = await eventually(() => api.createToken({ ...wanted, pod: pod.metadata }, never));
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(claims).toMatchObject({ 'kubernetes.io': { pod: { name: 's', uid: pod.metadata.uid } } });
    const elsewhere = await api.createToken({ ...wanted, audiences: ['elsewhere'], pod: pod.metadata }, never);
    expect(faultOf(elsewhere)).toMatchObject({ kind: 'denied', message: expect.stringContaining('audience') });
    for (const bound of [
      { name: 'q', uid: 'x' },
      { name: '', uid: '' },
    ]) {
      expect(['denied', 'rejected']).toContain(faultOf(await api.createToken({ ...wanted, pod: bound }, never))?.kind);
    }
  });

  it('events of a pod are written once', async () => {
    const { uid } = (await podOf('s')).metadata;
    const event = {
      involved: { kind: 'Pod', namespace, name: 's', uid, fieldPath: 'spec.containers{c}' },
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
      at: new Date().toISOString(),
      dedupeKey: 'k',
    } as const;
    valueOf(await api.createEvent(event, never));
    valueOf(await api.createEvent(event, never));
    const { items } = await core.listNamespacedEvent({
      namespace,
      fieldSelector: `involvedObject.uid=${uid},reason=BackOff`,
    });
    expect(items.map(({ involvedObject }) => involvedObject.fieldPath)).toStrictEqual(['spec.containers{c}']);
  });
});

describe('the app as itself', () => {
  it('knows the cluster', async () => {
    expect(valueOf(await clusterApi.getClusterUid(never))).toBe(attached.clusterUid);
  });

  it('asks who a token is, for its own audience only', async () => {
    const target = {
      kubectl: cluster.kubectl,
      namespace: attached.namespace,
      serviceAccount: attached.relayServiceAccount,
    };
    const { token } = await requestToken({ ...target, audience: 'app', durationSeconds: 600 });
    const review = async (text: string, audience: string) => clusterApi.reviewToken(text, audience, never);
    const identity = await review(token, 'app');
    expect(identity).toMatchObject({
      ok: true,
      value: { username: `system:serviceaccount:${attached.namespace}:${attached.relayServiceAccount}` },
    });
    expect(await review(token, 'another')).toStrictEqual({ ok: true, value: undefined });
    expect(await review(attached.relayToken, 'app')).toStrictEqual({ ok: true, value: undefined });
    expect(await review('not a token', 'app')).toStrictEqual({ ok: true, value: undefined });
  });

  it('may not act as another node', async () => {
    const other = createNodeApi(client, otherNode);
    expect(faultOf(await other.listPods(never))?.kind).toBe('denied');
    expect(faultOf(await other.getNode(never))?.kind).toBe('denied');
  });
});

describe('a watch', () => {
  it('streams events until its time is over; one of the pods of all nodes is denied', async () => {
    const lines: string[] = [];
    const query = { watch: '1', fieldSelector: `spec.nodeName=${node}`, timeoutSeconds: '2' };
    const options = { signal: never, onLine: (line: string) => void lines.push(line), inactivityTimeoutMs: 10_000 };
    const watch = openWatch(asNode(client, node), '/api/v1/pods', query, options);
    await createPod('w');
    expect(await watch).toStrictEqual({ ok: true, value: undefined });
    const names = lines.map((line) => JSON.parse(line).object.metadata.name);
    expect(names).toContain('w');
    const all = await openWatch(asNode(client, node), '/api/v1/pods', { watch: '1', timeoutSeconds: '2' }, options);
    expect(faultOf(all)?.kind).toBe('denied');
  });
});

describe('the end', () => {
  it('a node can’t delete itself; the app cordons and deletes it, by its UID', async () => {
    const { uid } = valueOf(await api.getNode(never)).metadata;
    valueOf(await clusterApi.cordonNode(node, never));
    expect(valueOf(await api.getNode(never)).unschedulable).toBe(true);
    valueOf(await clusterApi.deleteNode(node, 'another-uid', never));
    expect(valueOf(await api.getNode(never)).metadata.uid).toBe(uid);
    valueOf(await clusterApi.deleteNode(node, uid, never));
    valueOf(await clusterApi.deleteNode(node, uid, never));
    expect(faultOf(await api.getNode(never))?.kind).toBe('not-found');
    expect(faultOf(await clusterApi.cordonNode(node, never))?.kind).toBe('not-found');
    expect(faultOf(await clusterApi.deleteNode(otherNode, 'x', never))?.kind).toBe('denied');
  });
});
