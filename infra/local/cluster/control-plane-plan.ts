/** What a control plane starts with: its ports, certificates and kubeconfigs, laid out in the state folder. */
import { mkdirSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { KeyPair } from '../pki.ts';
import { allocatePort } from '../ports.ts';
import type { Progress } from '../../cli/progress.ts';
import type { ControlPlaneBinaries } from './build.ts';
import { firstServiceAddress } from './components.ts';
import type { ComponentSettings } from './components.ts';
import { ensureCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { clientCertificateKubeconfig } from './kubeconfig.ts';
import { readStateFile, writeStateFile } from './state-files.ts';

/** What a control plane is started with. */
export interface ControlPlaneOptions {
  /** Holds certificates, etcd's data, logs and process records; the same folder brings the same cluster up again. */
  readonly stateDir: string;
  readonly binaries: ControlPlaneBinaries;
  readonly progress?: Progress;
  /** The API server's port; the last start's if it is free, else any. */
  readonly apiPort?: number;
  /** Further names and addresses by which the API server is reached, such as a forwarder's. */
  readonly extraSans?: readonly string[];
  /** The address that the endpoints of the `kubernetes` Service name (a forwarder's, on the same port); none if absent. */
  readonly advertiseAddress?: string;
  /** After how long without a Lease renewal a node is unreachable; Kubernetes' own default (50s) if absent. */
  readonly nodeMonitorGracePeriod?: string;
  /** An IPv4 range, 10.96.0.0/16 if absent. */
  readonly serviceClusterIpRange?: string;
  /** Whether kubelet serving certificates must be of this cluster's CA (`issueCertificate`); true if absent. */
  readonly verifyKubelets?: boolean;
}

/** All that is decided before the first component starts. */
export interface ControlPlanePlan {
  readonly url: string;
  readonly port: number;
  readonly credentials: Credentials;
  readonly settings: ComponentSettings;
  readonly kubeconfigPath: string;
  readonly serviceAddress: string;
}

/** Lays out the state folder, or brings what it holds up to date. Starts nothing. */
export async function prepareControlPlane(options: ControlPlaneOptions): Promise<ControlPlanePlan> {
  const { stateDir } = options;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const range = options.serviceClusterIpRange ?? '10.96.0.0/16';
  const serviceAddress = firstServiceAddress(range);
  const [credentials, ports] = await Promise.all([
    ensureCredentials(join(stateDir, 'pki'), servingNames(serviceAddress, options.extraSans ?? [])),
    choosePorts(stateDir, options.apiPort),
  ]);
  const url = `https://127.0.0.1:${ports.api}`;
  const kubeconfigPath = join(stateDir, 'admin.kubeconfig');
  const controllerManagerKubeconfig = join(stateDir, 'kube-controller-manager.kubeconfig');
  const schedulerKubeconfig = join(stateDir, 'kube-scheduler.kubeconfig');
  const cluster = { url, caPem: credentials.ca.certPem };
  const write = (file: string, user: string, pair: KeyPair): void =>
    writeStateFile(file, clientCertificateKubeconfig(cluster, user, pair));
  write(kubeconfigPath, 'kubernetes-admin', credentials.admin);
  write(controllerManagerKubeconfig, 'system:kube-controller-manager', credentials.controllerManager);
  write(schedulerKubeconfig, 'system:kube-scheduler', credentials.scheduler);
  const settings: ComponentSettings = {
    credentials,
    etcdDataDir: join(stateDir, 'etcd'),
    etcdPort: ports.etcd,
    etcdPeerPort: ports.etcdPeer,
    apiPort: ports.api,
    advertiseAddress: options.advertiseAddress,
    serviceClusterIpRange: range,
    kubeletCaFile: options.verifyKubelets === false ? undefined : credentials.caFiles.cert,
    nodeMonitorGracePeriod: options.nodeMonitorGracePeriod ?? '50s',
    controllerManagerKubeconfig,
    schedulerKubeconfig,
  };
  return { url, port: ports.api, credentials, settings, kubeconfigPath, serviceAddress };
}

function servingNames(serviceAddress: string, extraSans: readonly string[]) {
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const extra = [...new Set(extraSans)];
  return {
    dnsNames: ['localhost', ...service, ...extra.filter((name) => isIP(name) === 0)],
    ipAddresses: [...new Set(['127.0.0.1', serviceAddress, ...extra.filter((name) => isIP(name) !== 0)])],
  };
}

/** The API server keeps its port from start to start where it can, so that kubeconfigs and pods stay right. */
async function choosePorts(stateDir: string, wanted: number | undefined) {
  const file = join(stateDir, 'api-port');
  const last = Number(readStateFile(file));
  const api = wanted ?? (await allocatePort(Number.isInteger(last) && last > 0 ? last : undefined));
  const [etcd, etcdPeer] = [await allocatePort(), await allocatePort()];
  writeStateFile(file, String(api));
  return { api, etcd, etcdPeer };
}
