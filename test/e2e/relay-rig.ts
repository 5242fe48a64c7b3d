/** A real control plane, an app that answers as it is reported, and relays between them as they are deployed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import { startChild } from '../../infra/local/child.ts';
import type { Child } from '../../infra/local/child.ts';
import { createApiClient } from '../../infra/local/cluster/api-client.ts';
import type { ApiClient } from '../../infra/local/cluster/api-client.ts';
import { attachNodes, requestToken } from '../../infra/local/cluster/attach.ts';
import type { Attachment } from '../../infra/local/cluster/attach.ts';
import { ensureControlPlane } from '../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../infra/local/cluster/control-plane.ts';
import { kubectlOutput } from '../../infra/local/cluster/kubectl.ts';
import { allocatePorts } from '../../infra/local/ports.ts';
import { createProgress } from '../../infra/cli/progress.ts';
import { relayNodeFlags } from '../../infra/local/up/relay.ts';
import bundles from '../../rolldown.config.ts';
import { FakeApp, until } from '../relay/fake-app.ts';

export const nodes = ['aci-1', 'aci-2'] as const;
export const [node, otherNode] = nodes;
export const audience = 'https://app.test';
/** Of the installation that the nodes say they belong to. */
export const installation = 'prod';

export type RunningRelay = Child<{ readonly health: number; readonly ports: Readonly<Record<string, number>> }>;

export interface RelayStart {
  /** Of its log and its configuration; `relay` unless given. */
  readonly name?: string;
  /** Members of the configuration that are to be others. */
  readonly config?: object;
  /** Whether it is waited for until it is ready; unless given, yes. */
  readonly untilReady?: boolean;
}

const readyPattern = /^\{"ready":true/;

export class RelayRig {
  readonly dir: string;
  readonly cluster: ControlPlane;
  readonly attached: Attachment;
  readonly app: FakeApp;
  /** As the app itself; it impersonates its nodes. */
  readonly asApp: ApiClient;
  readonly ports: readonly number[];
  #config: object = {};

  private constructor(parts: Pick<RelayRig, 'dir' | 'cluster' | 'attached' | 'app' | 'asApp' | 'ports'>) {
    this.dir = parts.dir;
    this.cluster = parts.cluster;
    this.attached = parts.attached;
    this.app = parts.app;
    this.asApp = parts.asApp;
    this.ports = parts.ports;
  }

  /** Both nodes are with a fresh Lease, and the relay is bundled; none runs yet. */
  static async start(): Promise<RelayRig> {
    const dir = mkdtempSync(join(tmpdir(), 'relay-'));
    const progress = createProgress();
    const binaries = await ensureControlPlane({ progress });
    const cluster = await startControlPlane({ stateDir: join(dir, 'cluster'), binaries, progress });
    const attached = await attachNodes({ kubectl: cluster.kubectl, nodes });
    const asApp = createApiClient(attached.endpoint, { token: attached.appToken });
    const ports = await allocatePorts(nodes.length);
    const rig = new RelayRig({ dir, cluster, attached, app: await FakeApp.start(), asApp, ports });
    for (const name of nodes) {
      await rig.registerNode(name);
      await rig.renewLease(name);
    }
    await rig.#prepare();
    await bundleRelay(dir);
    return rig;
  }

  async close(): Promise<void> {
    this.asApp.close();
    await this.app.close();
    await this.cluster.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async apply(...items: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const args = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    await kubectlOutput(args, { ...this.cluster.kubectl, input });
  }

  async get(...args: readonly string[]): Promise<string> {
    return (await kubectlOutput(['get', ...args], this.cluster.kubectl)).trim();
  }

  uidOf(pod: string): Promise<string> {
    return this.get('pod', pod, '-o', 'jsonpath={.metadata.uid}');
  }

  /** As the app would write it, as the node. */
  async patchStatus(name: string, status: object, onNode: string = node): Promise<void> {
    await this.#patchAsNode(onNode, `/api/v1/namespaces/default/pods/${name}/status`, { status });
  }

  /** Where the API server finds the node's kubelet port. */
  async moveNode(name: string, address: string): Promise<void> {
    const status = { addresses: [{ type: 'InternalIP', address }] };
    await this.#patchAsNode(name, `/api/v1/nodes/${name}/status`, { status });
  }

  /** What the node says that it can, as the app lets it say when the relay serves it. */
  async declare(name: string, declaredFeatures: readonly string[]): Promise<void> {
    await this.#patchAsNode(name, `/api/v1/nodes/${name}/status`, { status: { declaredFeatures } });
  }

  async registerNode(name: string): Promise<void> {
    const port = this.ports[nodes.findIndex((one) => one === name)];
    const created = await this.asApp.send({
      method: 'POST',
      path: '/api/v1/nodes',
      headers: asNode(name),
      body: {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, annotations: { 'serverless-kubelet.io/owner': installation } },
        spec: { taints: [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }] },
        status: {
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          daemonEndpoints: { kubeletEndpoint: { Port: port } },
        },
      },
    });
    if (created.status !== 201) throw new Error(`Node ${name}: ${created.status}`);
  }

  async renewLease(name: string): Promise<void> {
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
    const headers = { ...asNode(name), 'content-type': 'application/merge-patch+json' };
    const patched = await this.asApp.send({ method: 'PATCH', path: `${path}/${name}`, headers, body: { spec } });
    if (patched.status === 404) await this.asApp.send({ method: 'POST', path, headers: asNode(name), body });
  }

  /** Starts a relay from the bundle. */
  async startRelay({ name = 'relay', config = {}, untilReady = true }: RelayStart = {}): Promise<RunningRelay> {
    const relay: RunningRelay = await startChild({
      name,
      command: process.execPath,
      args: [...relayNodeFlags, this.bundle, '--config', this.configFile(name, config)],
      logFile: join(this.dir, `${name}.log`),
      stdin: 'pipe',
      ready: (line) => (readyPattern.test(line) ? JSON.parse(line) : undefined),
      readyTimeoutMs: 20_000,
    });
    if (untilReady) await until(`${name} is ready`, async () => (await healthOf(relay, '/readyz')).status === 200);
    return relay;
  }

  get bundle(): string {
    return join(this.dir, 'bundle/relay.mjs');
  }

  /** Writes a configuration, with some members other than usual. */
  configFile(name: string, config: object = {}): string {
    return this.file(`${name}.json`, JSON.stringify({ ...this.#config, ...config }));
  }

  /** Writes a secret. */
  file(name: string, text: string): string {
    const path = join(this.dir, 'relay', name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async #prepare(): Promise<void> {
    mkdirSync(join(this.dir, 'relay'));
    const { attached, cluster } = this;
    const appToken = await requestToken({
      kubectl: cluster.kubectl,
      namespace: attached.namespace,
      serviceAccount: attached.relayServiceAccount,
      audience,
      durationSeconds: 3600,
    });
    const certificate = await cluster.issueCertificate({
      commonName: `system:node:${node}`,
      organizations: ['system:nodes'],
      ipAddresses: ['127.0.0.1', '127.0.0.2'],
      usages: ['server'],
    });
    const caFile = this.file('ca.crt', cluster.caPem);
    this.#config = {
      clusterUid: attached.clusterUid,
      apiServer: { url: cluster.url, caFile, tokenFile: this.file('token', attached.relayToken) },
      app: { url: this.app.url, tokenFile: this.file('app-token', appToken.token) },
      nodes: nodes.map((name, index) => ({ name, port: this.ports[index] })),
      listenAddress: '127.0.0.1',
      serving: {
        certFile: this.file('tls.crt', certificate.certPem),
        keyFile: this.file('tls.key', certificate.keyPem),
      },
      kubeletClientCaFile: caFile,
      health: { port: 0 },
    };
  }

  async #patchAsNode(name: string, path: string, body: object): Promise<void> {
    const headers = { ...asNode(name), 'content-type': 'application/strategic-merge-patch+json' };
    const answer = await this.asApp.send({ method: 'PATCH', path, headers, body });
    if (answer.status !== 200) throw new Error(`PATCH ${path}: ${answer.status}`);
  }
}

/** A pod that is bound already. */
export const pod = (
  name: string,
  nodeName: string = node,
  over: { readonly spec?: object; readonly metadata?: object } = {},
) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...over.metadata },
  spec: {
    nodeName,
    tolerations: [{ operator: 'Exists' }],
    terminationGracePeriodSeconds: 30,
    containers: [{ name: 'main', image: 'busybox' }],
    ...over.spec,
  },
});

export const running = (restartCount = 0) => ({
  phase: 'Running',
  containerStatuses: [
    {
      name: 'main',
      image: 'busybox',
      imageID: 'x',
      ready: true,
      restartCount,
      state: { running: { startedAt: '2026-11-23T11:00:00Z' } },
    },
  ],
});

/** One of `/healthz`, `/readyz`, `/metrics`. */
export const healthOf = (relay: RunningRelay, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${relay.value.health}${path}`);

const asNode = (name: string) => ({ 'Impersonate-User': `system:node:${name}`, 'Impersonate-Group': 'system:nodes' });

/** As it is deployed: one file, with nothing beside it. */
async function bundleRelay(dir: string): Promise<void> {
  const bundle = bundles.find((one) => one.output.dir === 'dist/relay');
  if (bundle === undefined) throw new Error('no bundle of the relay');
  const { output, ...input } = bundle;
  const cwd = join(import.meta.dirname, '../..');
  await build({ ...input, cwd, output: { ...output, dir: join(dir, 'bundle') }, logLevel: 'warn' });
  writeFileSync(join(dir, 'bundle/package.json'), '{"type":"module"}');
}
