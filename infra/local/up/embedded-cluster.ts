import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedCluster } from '../cluster/embedded/embedded-cluster.ts';
import type { EmbeddedCluster } from '../cluster/embedded/embedded-cluster.ts';
import { startForwarder } from '../cluster/forwarder.ts';
import { readStateFile, writeStateFile } from '../cluster/state-files.ts';
import { allocatePort } from '../ports.ts';
import type { Progress } from '../../cli/progress.ts';
import { apiAdministrator } from './api-administrator.ts';
import type { Cluster } from './cluster.ts';

/** Starts the embedded cluster, reachable from the containers' bridge where there is one. It begins without pods. */
export async function startEmbedded(
  dir: string,
  { gateway, progress }: { readonly gateway: string | undefined; readonly progress: Progress },
): Promise<Cluster> {
  const started = await progress.step('embedded cluster', async (report) => {
    const cluster = await start(join(dir, 'embedded'), gateway);
    report(`as Kubernetes ${cluster.version}  ${cluster.url}`);
    return cluster;
  });
  const forwarder =
    gateway === undefined
      ? undefined
      : await startForwarder({ listenAddress: gateway, port: started.port, targetPort: started.port });
  return {
    kind: 'embedded',
    administrator: apiAdministrator(readFileSync(started.kubeconfigPath, 'utf8')),
    kubectl: 'kubectl',
    kubeconfig: started.kubeconfigPath,
    server: started.url,
    caPem: started.caPem,
    version: started.version,
    kubeletClientCaPem: started.caPem,
    controlPlane: undefined,
    forwarder,
    dnsAddress: undefined,
    failed: undefined,
    issueKubeletCertificate: (node, address) =>
      started.issueCertificate({
        commonName: `system:node:${node}`,
        organizations: ['system:nodes'],
        ipAddresses: [address],
        usages: ['server'],
      }),
    stop: async () => {
      await forwarder?.close();
      await started.stop();
    },
  };
}

/**
 * The cluster keeps its identity from start to start, though not its pods: groups of an earlier start are then orphans
 * of a cluster that is known, and go. It keeps its port where it can, for kubeconfigs in people's shells.
 */
async function start(dir: string, gateway: string | undefined): Promise<EmbeddedCluster> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const uid = kept(join(dir, 'uid')) ?? randomUUID();
  const port = await allocatePort(Number(kept(join(dir, 'port')) ?? 0) || undefined);
  writeStateFile(join(dir, 'uid'), uid);
  writeStateFile(join(dir, 'port'), String(port));
  return startEmbeddedCluster({ dir, uid, port, ...(gateway === undefined ? {} : { extraSans: [gateway] }) });
}

function kept(file: string): string | undefined {
  const text = readStateFile(file) ?? '';
  return text === '' ? undefined : text;
}
