/** The cluster's DNS: CoreDNS on the containers' bridge, behind the Service kube-dns. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit } from '../child.ts';
import { allocatePorts, isPortFree } from '../ports.ts';
import { dnsObjects, dnsUser, tenthServiceAddress } from './cluster-dns-objects.ts';
import type { ControlPlane } from './control-plane.ts';
import { startCoreDns } from './coredns.ts';
import { clientCertificateKubeconfig } from './kubeconfig.ts';
import { kubectlOutput } from './kubectl.ts';
import { writeStateFile } from './state-files.ts';

export interface ClusterDnsOptions {
  readonly controlPlane: ControlPlane;
  /** Path of CoreDNS. */
  readonly binary: string;
  /** The bridge's gateway, where containers reach it. */
  readonly gateway: string;
  /** `address:port` of who is asked for names outside the cluster; nobody unless given. */
  readonly upstream: string | undefined;
  /** Holds its configuration and log. */
  readonly stateDir: string;
}

/** A DNS that runs. */
export interface ClusterDns {
  /** The ClusterIP of kube-dns. */
  readonly serviceAddress: string;
  /** Resolves with a sentence when it ends that nobody stopped; pending for ever otherwise. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

const dnsPort = 53;
const readyMs = 20_000;
const pollMs = 50;

/** Makes kube-dns what it is in other clusters, and starts what is behind it; resolves when it answers. */
export async function startClusterDns(options: ClusterDnsOptions): Promise<ClusterDns> {
  const { controlPlane, binary, gateway, stateDir } = options;
  const serviceAddress = tenthServiceAddress(controlPlane.kubernetesServiceAddress);
  const [free = 0, healthPort = 0, readyPort = 0] = await allocatePorts(3);
  const port = (await isPortFree(dnsPort, gateway)) ? dnsPort : free;
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager', 'serverless-kubelet-dns', '-f', '-'];
  const items = dnsObjects({ serviceAddress, gateway, port });
  await kubectlOutput(apply, {
    ...controlPlane.kubectl,
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  const certificate = await controlPlane.issueCertificate({ ...dnsUser, usages: ['client'] });
  const kubeconfig = join(stateDir, 'kubeconfig');
  const endpoint = { url: controlPlane.url, caPem: controlPlane.caPem };
  writeStateFile(kubeconfig, clientCertificateKubeconfig(endpoint, dnsUser.commonName, certificate));
  const corefile = join(stateDir, 'Corefile');
  writeStateFile(corefile, clusterCorefile({ ...options, port, healthPort, readyPort, kubeconfig }));
  const child = await startCoreDns(binary, corefile, { name: 'coredns', logFile: join(stateDir, 'coredns.log') });
  try {
    await untilReady(readyPort);
  } catch (error) {
    await child.stop(0);
    throw error;
  }
  let stopping = false;
  const { promise: failed, resolve } = Promise.withResolvers<string>();
  void child.exited.then((exit) => (stopping ? undefined : resolve(describeExit(child, exit))));
  return {
    serviceAddress,
    failed,
    stop: async () => {
      stopping = true;
      await child.stop(2000);
    },
  };
}

interface CorefileOptions extends Pick<ClusterDnsOptions, 'gateway' | 'upstream'> {
  readonly port: number;
  readonly healthPort: number;
  readonly readyPort: number;
  readonly kubeconfig: string;
}

/** As in other clusters, but for the addresses. */
export function clusterCorefile(options: CorefileOptions): string {
  const { gateway, upstream, port, healthPort, readyPort, kubeconfig } = options;
  return [
    `.:${port} {`,
    `  bind ${gateway}`,
    '  errors',
    `  health 127.0.0.1:${healthPort}`,
    `  ready 127.0.0.1:${readyPort}`,
    '  kubernetes cluster.local in-addr.arpa ip6.arpa {',
    `    kubeconfig ${kubeconfig}`,
    '    pods insecure',
    '    fallthrough in-addr.arpa ip6.arpa',
    '    ttl 5',
    '  }',
    ...(upstream === undefined ? [] : [`  forward . ${upstream}`]),
    '  cache 30 {',
    '    disable success cluster.local',
    '    disable denial cluster.local',
    '  }',
    '  loadbalance',
    '  reload',
    '}',
    '',
  ].join('\n');
}

async function untilReady(port: number): Promise<void> {
  const until = Date.now() + readyMs;
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}/ready`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    if (Date.now() > until) throw new Error(`CoreDNS was not ready within ${readyMs / 1000} s`);
    await sleep(pollMs);
  }
}
