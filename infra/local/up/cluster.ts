import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { getObject } from '../../cli/cluster/objects.ts';
import { readClusterIdentity } from '../../cli/inspect/read-cluster.ts';
import { kubeconfigApi, readEndpoint } from '../cluster/attach.ts';
import { ensureControlPlane, whyNoControlPlane } from '../cluster/build.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { apiServerName } from '../aci/network/corefile.ts';
import { startForwarder } from '../cluster/forwarder.ts';
import type { Forwarder } from '../cluster/forwarder.ts';
import type { KubectlTarget } from '../cluster/kubectl.ts';
import { createCertificateAuthority, issueCertificate } from '../pki.ts';
import type { KeyPair } from '../pki.ts';
import type { Progress } from '../../cli/progress.ts';
import type { Administrator } from './administrator.ts';
import { kubectlAdministrator } from './kubectl-administrator.ts';
import { bringUpDns } from './names.ts';
import type { DnsGround } from './names.ts';
import type { UpOptions } from './options.ts';

export type ClusterKind = 'real' | 'embedded' | 'given';

/** A cluster to attach to: our own, or one that somebody has. */
export interface Cluster {
  readonly kind: ClusterKind;
  readonly administrator: Administrator;
  /** The kubectl for a person's shell: a path, or the one in the PATH. */
  readonly kubectl: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly caPem: string;
  readonly version: string;
  /** Whom the relay believes as the API server; the CA of its client certificate. */
  readonly kubeletClientCaPem: string;
  readonly controlPlane: ControlPlane | undefined;
  readonly forwarder: Forwarder | undefined;
  /** ClusterIP of its DNS, where there is one that container groups reach. */
  readonly dnsAddress: string | undefined;
  /** Resolves with a sentence when a part of it ends by itself; absent: nobody watches. */
  readonly failed: Promise<string> | undefined;
  issueKubeletCertificate(node: string, address: string): Promise<KeyPair>;
  /** Ends what was started for it. Safe to repeat. */
  stop(): Promise<void>;
}

export interface ClusterChoice {
  readonly kind: ClusterKind;
  /** Lines that say why, where that may surprise. */
  readonly why: readonly string[];
}

const embeddedMeans =
  'the cluster is embedded: a small API server in Node that knows plain pods, and no Deployments, Jobs or other controllers';

/** The cluster that was asked for, or the best this machine has. */
export async function chooseCluster(options: Pick<UpOptions, 'cluster' | 'kubeconfig'>): Promise<ClusterChoice> {
  if (options.kubeconfig !== undefined) return { kind: 'given', why: [] };
  if (options.cluster === 'real') return { kind: 'real', why: [] };
  if (options.cluster === 'embedded') return { kind: 'embedded', why: [embeddedMeans] };
  const missing = await whyNoControlPlane();
  return missing === undefined
    ? { kind: 'real', why: [] }
    : { kind: 'embedded', why: [embeddedMeans, `for a real one: ${missing.message}`] };
}

/** Starts a real Kubernetes, the one of the last start where there was one, reachable from the containers' bridge where there is one. */
export async function startCluster(
  dir: string,
  options: { readonly gateway: string | undefined; readonly progress: Progress; readonly dns?: DnsGround | undefined },
): Promise<Cluster> {
  const binaries = await ensureControlPlane({ progress: options.progress });
  const stateDir = join(dir, 'cluster');
  const { gateway } = options;
  const controlPlane = await startControlPlane({
    stateDir,
    binaries,
    progress: options.progress,
    ...(gateway === undefined ? {} : { extraSans: [gateway, apiServerName], advertiseAddress: gateway }),
  });
  const forwarder =
    gateway === undefined
      ? undefined
      : await startForwarder({ listenAddress: gateway, port: controlPlane.port, targetPort: controlPlane.port });
  const dns =
    gateway === undefined || options.dns === undefined
      ? undefined
      : await bringUpDns(dir, { controlPlane, gateway, dns: options.dns, progress: options.progress });
  return {
    kind: 'real',
    administrator: kubectlAdministrator(controlPlane.kubectl),
    kubectl: controlPlane.kubectl.binary,
    kubeconfig: controlPlane.kubeconfigPath,
    server: controlPlane.url,
    caPem: controlPlane.caPem,
    version: controlPlane.version,
    kubeletClientCaPem: controlPlane.caPem,
    controlPlane,
    forwarder,
    dnsAddress: dns?.serviceAddress,
    failed: dns === undefined ? controlPlane.failed : Promise.race([controlPlane.failed, dns.failed]),
    stop: async () => {
      await dns?.stop();
      await forwarder?.close();
      await controlPlane.stop();
    },
    issueKubeletCertificate: (node, address) =>
      controlPlane.issueCertificate({
        commonName: `system:node:${node}`,
        organizations: ['system:nodes'],
        ipAddresses: [address],
        usages: ['server'],
      }),
  };
}

/** Whom the API server shows its client certificates from. */
const authenticationPath = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const authenticationSchema = z.object({ data: z.object({ 'client-ca-file': z.string() }) });

/** The cluster behind a kubeconfig; kubectl is the one on PATH. Its API server must not verify kubelets' certificates. */
export async function useCluster(kubeconfig: string): Promise<Cluster> {
  const endpoint = await readEndpoint(kubeconfig);
  const api = kubeconfigApi(kubeconfig);
  const { version } = await readClusterIdentity({ api });
  const authentication = authenticationSchema.parse(await getObject({ api }, authenticationPath));
  const authority = await createCertificateAuthority('serverless-kubelet local kubelet');
  const kubectl: KubectlTarget = { binary: 'kubectl', kubeconfig };
  return {
    kind: 'given',
    administrator: kubectlAdministrator(kubectl),
    kubectl: kubectl.binary,
    kubeconfig,
    server: endpoint.url,
    caPem: endpoint.caPem,
    version,
    kubeletClientCaPem: authentication.data['client-ca-file'],
    controlPlane: undefined,
    forwarder: undefined,
    dnsAddress: undefined,
    failed: undefined,
    stop: async () => undefined,
    issueKubeletCertificate: (node, address) =>
      issueCertificate(authority, {
        commonName: `system:node:${node}`,
        organizations: ['system:nodes'],
        ipAddresses: [address],
        usages: ['server'],
      }),
  };
}

/** `.local/kubeconfig`: a copy, so that its path is short and stays. */
export function writeKubeconfig(cluster: Cluster, file: string): void {
  copyFileSync(cluster.kubeconfig, file);
  chmodSync(file, 0o600);
}

export const writeSecretFile = (file: string, text: string): string => {
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};
