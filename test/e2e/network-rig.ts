/** A real control plane with its DNS, the emulator over real containers, and servers that say their names. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureImages } from '../../infra/local/aci/images.ts';
import { createCore } from '../../infra/local/aci/core.ts';
import type { EmulatorCore } from '../../infra/local/aci/core.ts';
import { apiServerName } from '../../infra/local/aci/network/corefile.ts';
import { defaultNetworkKnobs } from '../../infra/local/aci/network/knobs.ts';
import { openGroupNetworks } from '../../infra/local/aci/network/open.ts';
import { processesNaming } from '../../infra/local/aci/runtime/engine/processes.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { ContainerRuntime, RunningContainer } from '../../infra/local/aci/runtime/runtime.ts';
import { ensureControlPlane } from '../../infra/local/cluster/build.ts';
import { startClusterDns } from '../../infra/local/cluster/cluster-dns.ts';
import type { ClusterDns } from '../../infra/local/cluster/cluster-dns.ts';
import { startControlPlane } from '../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../infra/local/cluster/control-plane.ts';
import { ensureCoreDns } from '../../infra/local/cluster/coredns.ts';
import { startForwarder } from '../../infra/local/cluster/forwarder.ts';
import type { Forwarder } from '../../infra/local/cluster/forwarder.ts';
import { tokenKubeconfig } from '../../infra/local/cluster/kubeconfig.ts';
import { kubectlOutput } from '../../infra/local/cluster/kubectl.ts';
import { silentProgress } from '../../infra/cli/progress.ts';
import { until } from './until.ts';

const subscription = '11111111-1111-4111-8111-111111111111';
const scope = `/subscriptions/${subscription}/resourceGroups/rg/providers`;
const groupsPath = `${scope}/Microsoft.ContainerInstance/containerGroups`;
const subnet = `${scope}/Microsoft.Network/virtualNetworks/v/subnets/s`;
export const watchSeconds = 2;

/** What a group gets besides its containers to be in the cluster's network. */
export interface InCluster {
  readonly dnsConfig: object;
  readonly extensions: readonly object[];
}

interface Parts {
  readonly dir: string;
  readonly runtime: EngineRuntime;
  readonly started: Map<string, RunningContainer>;
  readonly core: EmulatorCore;
  readonly cluster: ControlPlane;
  readonly forwarder: Forwarder;
  readonly dns: ClusterDns;
  readonly token: string;
}

export class NetworkRig {
  readonly cluster: ControlPlane;
  readonly core: EmulatorCore;
  readonly gateway: string;
  readonly #parts: Parts;
  readonly #servers: (Server | Socket)[] = [];
  #closed: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.cluster = parts.cluster;
    this.core = parts.core;
    this.gateway = parts.runtime.bridge.gateway;
  }

  static async start(): Promise<NetworkRig> {
    const dir = mkdtempSync(join(tmpdir(), 'group-network-'));
    const progress = silentProgress;
    await ensureImages({ log: () => undefined });
    const [binaries, coredns] = [await ensureControlPlane({ progress }), await ensureCoreDns({ progress })];
    const runtime = await createEngineRuntime({ stateDir: join(dir, 'aci'), engine: 'podman', log: () => undefined });
    const { gateway } = runtime.bridge;
    const networkDir = join(dir, 'network');
    const log = (line: string): void => void process.stderr.write(`${line}\n`);
    const knobs = { ...defaultNetworkKnobs, kubeProxyWatchSeconds: watchSeconds };
    const groupNetworks = await openGroupNetworks({ runtime, knobs, coredns: coredns.binary, dir: networkDir, log });
    const started = new Map<string, RunningContainer>();
    const core = createCore({
      runtime: recording(runtime, started),
      subscriptionId: subscription,
      resourceGroups: ['rg'],
      locations: ['westeurope'],
      joinableSubnets: [subnet],
      groupNetworks,
      knobs: { ...knobs, timingsScale: 0, stopGraceSeconds: 0 },
      log,
    });
    core.setArmUrls(['https://arm.test']);
    const cluster = await startControlPlane({
      stateDir: join(dir, 'cluster'),
      binaries,
      extraSans: [gateway, apiServerName],
      advertiseAddress: gateway,
    });
    const forwarder = await startForwarder({ listenAddress: gateway, port: cluster.port, targetPort: cluster.port });
    const dns = await startClusterDns({
      controlPlane: cluster,
      binary: coredns.binary,
      gateway,
      upstream: groupNetworks.resolver,
      stateDir: join(dir, 'dns'),
    });
    const token = await proxyToken(cluster);
    return new NetworkRig({ dir, runtime, started, core, cluster, forwarder, dns, token });
  }

  /** Safe to repeat. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const server of this.#servers) server.close();
    await this.core.close();
    await this.#parts.dns.stop();
    await this.#parts.forwarder.close();
    await this.cluster.stop();
    if (process.env['KEEP_NETWORK'] === undefined) rmSync(this.#parts.dir, { recursive: true, force: true });
  }

  kubectl(args: readonly string[], input?: object | readonly object[]): Promise<string> {
    const all = Array.isArray(input) ? { apiVersion: 'v1', kind: 'List', items: input } : input;
    return kubectlOutput(args, {
      ...this.cluster.kubectl,
      ...(all === undefined ? {} : { input: JSON.stringify(all) }),
    });
  }

  /** Makes objects what they are given as. */
  async apply(...objects: readonly object[]): Promise<void> {
    await this.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], objects);
  }

  /** What the app would send. */
  inCluster(namespace = 'default'): InCluster {
    const endpoint = { url: `https://${this.gateway}:${this.cluster.port}`, caPem: this.cluster.caPem };
    const kubeConfig = Buffer.from(tokenKubeconfig(endpoint, 'kube-proxy', this.#parts.token)).toString('base64');
    const settings = { clusterCidr: '10.244.0.0/16', kubeVersion: 'v1.9.10' };
    return {
      dnsConfig: {
        nameServers: [this.#parts.dns.serviceAddress],
        searchDomains: `${namespace}.svc.cluster.local svc.cluster.local cluster.local`,
        options: 'ndots:5',
      },
      extensions: [
        {
          name: 'kube-proxy',
          properties: { extensionType: 'kube-proxy', version: '1.0', settings, protectedSettings: { kubeConfig } },
        },
      ],
    };
  }

  /** Puts a group in the subnet, and waits until all its containers have started. */
  async put(name: string, images: Readonly<Record<string, string>>, properties: object = {}): Promise<void> {
    const resources = { requests: { cpu: 1, memoryInGB: 1 } };
    const containers = Object.entries(images).map(([container, image]) => ({
      name: container,
      properties: { image, resources, command: ['sleep', '100000'] },
    }));
    const body = {
      location: 'westeurope',
      properties: { osType: 'Linux', restartPolicy: 'Never', containers, subnetIds: [{ id: subnet }], ...properties },
    };
    const { status, body: answer } = await this.#arm('PUT', `${groupsPath}/${name}`, body);
    if (status !== 201) throw new Error(JSON.stringify(answer));
    await until(name, () => Object.keys(images).every((c) => this.#parts.started.has(c)), Boolean, 30_000);
  }

  async delete(name: string): Promise<void> {
    await this.#arm('DELETE', `${groupsPath}/${name}`);
  }

  async #arm(method: string, path: string, body?: object): Promise<Awaited<ReturnType<EmulatorCore['arm']>>> {
    const [principal] = this.core.state.principals;
    if (principal === undefined) throw new Error('nobody may do anything');
    const { token } = this.core.state.tokens.issue(principal, 'https://arm.test/');
    return this.core.arm({
      method,
      url: `${path}?api-version=2023-05-01`,
      headers: { authorization: `Bearer ${token}` },
      body: body === undefined ? '' : JSON.stringify(body),
      origin: 'https://arm.test',
    });
  }

  container(name: string): RunningContainer {
    const found = this.#parts.started.get(name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  }

  /** What a shell in a container prints. */
  async sh(container: string, script: string, timeoutMs = 20_000): Promise<string> {
    return (await this.container(container).execute(['sh', '-c', script], timeoutMs)).output.trim();
  }

  /** A server on this machine that answers each HTTP request, or each packet, with its name. */
  async serve(name: string, protocol: 'tcp' | 'udp' = 'tcp'): Promise<number> {
    if (protocol === 'udp') {
      const socket = createSocket('udp4', (_, { port, address }) => socket.send(`${name}\n`, port, address));
      socket.bind(0, this.gateway);
      await once(socket, 'listening');
      this.#servers.push(socket);
      return socket.address().port;
    }
    const server = createServer({ keepAlive: false }, (_, answer) => answer.end(`${name}\n`));
    server.listen(0, this.gateway);
    await once(server, 'listening');
    this.#servers.push(server);
    const address = server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  /** Processes of this machine that name the rig's folder, its proxies among them: other clouds may run beside it. */
  left(): readonly string[] {
    return processesNaming(this.#parts.dir).map(({ command }) => command.join(' '));
  }

  /** What the groups' kube-proxies said. */
  proxyLog(): string {
    const file = join(this.#parts.dir, 'network', 'kube-proxy.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}

/** The runtime, and what it started last by the container's name. */
function recording(runtime: EngineRuntime, started: Map<string, RunningContainer>): ContainerRuntime {
  return {
    ...runtime,
    startContainer: async (sandbox, spec) => {
      const outcome = await runtime.startContainer(sandbox, spec);
      if (outcome.kind === 'running') started.set(spec.name, outcome);
      return outcome;
    },
  };
}

/** A token that does not expire, of an account that lists and watches what a proxy needs. */
async function proxyToken(cluster: ControlPlane): Promise<string> {
  const namespace = 'kube-system';
  const metadata = { name: 'group-proxy', namespace };
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'group-proxy' };
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'group-proxy' },
      rules: [{ apiGroups: [''], resources: ['services', 'endpoints'], verbs: ['list', 'watch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'group-proxy' },
      roleRef: role,
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { ...metadata, annotations: { 'kubernetes.io/service-account.name': 'group-proxy' } },
    },
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectlOutput(['create', '-f', '-'], { ...cluster.kubectl, input });
  const read = ['get', 'secret', 'group-proxy', '-n', namespace, '-o', 'jsonpath={.data.token}'];
  const encoded = await until(
    'token',
    () => kubectlOutput(read, cluster.kubectl),
    (text) => text !== '',
    20_000,
  );
  return Buffer.from(encoded, 'base64').toString('utf8');
}

/** A Service without a selector. */
export function service(name: string, spec: object): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec };
}

/** What a Service without a selector leads to: one subset for each port, so that ports may differ. */
export function endpoints(name: string, ip: string, ports: readonly number[], protocol = 'TCP'): object {
  const subsets = ports.map((port) => ({ addresses: [{ ip }], ports: [{ port, protocol }] }));
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace: 'default' }, subsets };
}
