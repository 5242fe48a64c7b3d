import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachNodes } from '../cluster/attach.ts';
import type { Attachment } from '../cluster/attach.ts';
import { ensureControlPlane } from '../cluster/build.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startForwarder } from '../cluster/forwarder.ts';
import type { Forwarder } from '../cluster/forwarder.ts';
import { kubectlOutput } from '../cluster/kubectl.ts';
import type { KubectlTarget } from '../cluster/kubectl.ts';
import { createCertificateAuthority, issueCertificate } from '../pki.ts';
import type { KeyPair } from '../pki.ts';
import type { Progress } from '../progress.ts';

/** A cluster to attach to: our own, or one that somebody has. */
export interface Cluster {
  readonly kubectl: KubectlTarget;
  readonly kubeconfig: string;
  readonly server: string;
  readonly caPem: string;
  readonly version: string;
  /** Whom the relay believes as the API server; the CA of its client certificate. */
  readonly kubeletClientCaPem: string;
  readonly controlPlane: ControlPlane | undefined;
  readonly forwarder: Forwarder | undefined;
  issueKubeletCertificate(node: string, address: string): Promise<KeyPair>;
}

/** Starts a real Kubernetes, the one of the last start where there was one, reachable from the containers' bridge where there is one. */
export async function startCluster(
  dir: string,
  options: { readonly gateway: string | undefined; readonly progress: Progress },
): Promise<Cluster> {
  const binaries = await ensureControlPlane({ progress: options.progress });
  const stateDir = join(dir, 'cluster');
  const { gateway } = options;
  const controlPlane = await startControlPlane({
    stateDir,
    binaries,
    progress: options.progress,
    ...(gateway === undefined ? {} : { extraSans: [gateway], advertiseAddress: gateway }),
  });
  const forwarder =
    gateway === undefined
      ? undefined
      : await startForwarder({ listenAddress: gateway, port: controlPlane.port, targetPort: controlPlane.port });
  return {
    kubectl: controlPlane.kubectl,
    kubeconfig: controlPlane.kubeconfigPath,
    server: controlPlane.url,
    caPem: controlPlane.caPem,
    version: controlPlane.version,
    kubeletClientCaPem: controlPlane.caPem,
    controlPlane,
    forwarder,
    issueKubeletCertificate: (node, address) =>
      controlPlane.issueCertificate({
        commonName: `system:node:${node}`,
        organizations: ['system:nodes'],
        ipAddresses: [address],
        usages: ['server'],
      }),
  };
}

/** The cluster behind a kubeconfig; kubectl is the one on PATH. Its API server must not verify kubelets' certificates. */
export async function useCluster(kubeconfig: string): Promise<Cluster> {
  const kubectl: KubectlTarget = { binary: 'kubectl', kubeconfig };
  const version = /"gitVersion": "(v[^"]+)"/.exec(await kubectlOutput(['get', '--raw', '/version'], kubectl))?.[1];
  if (version === undefined) throw new Error(`${kubeconfig}: the API server did not tell its version`);
  const { readEndpoint } = await import('../cluster/attach.ts');
  const endpoint = await readEndpoint(kubectl);
  const authority = await createCertificateAuthority('serverless-kubelet local kubelet');
  const clientCa = await kubectlOutput(
    [
      'get',
      'configmap',
      '-n',
      'kube-system',
      'extension-apiserver-authentication',
      '-o',
      'jsonpath={.data.client-ca-file}',
    ],
    kubectl,
  );
  return {
    kubectl,
    kubeconfig,
    server: endpoint.url,
    caPem: endpoint.caPem,
    version,
    kubeletClientCaPem: clientCa,
    controlPlane: undefined,
    forwarder: undefined,
    issueKubeletCertificate: (node, address) =>
      issueCertificate(authority, {
        commonName: `system:node:${node}`,
        organizations: ['system:nodes'],
        ipAddresses: [address],
        usages: ['server'],
      }),
  };
}

export const attach = (cluster: Cluster, nodes: readonly string[]): Promise<Attachment> =>
  attachNodes({ kubectl: cluster.kubectl, nodes });

/** `.local/kubeconfig`: a copy, so that its path is short and stays. */
export function writeKubeconfig(cluster: Cluster, file: string): void {
  copyFileSync(cluster.kubeconfig, file);
  chmodSync(file, 0o600);
}

export const writeSecretFile = (file: string, text: string): string => {
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};
