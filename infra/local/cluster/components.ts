/** The command lines of the control plane's four components. Pure. */
import type { CertificateFiles, Credentials } from './credentials.ts';

/** The components, in the order in which they start. */
export const componentNames = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type ComponentName = (typeof componentNames)[number];

/** What the command lines depend on. Every listener is on 127.0.0.1. */
export interface ComponentSettings {
  readonly credentials: Credentials;
  readonly etcdDataDir: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiPort: number;
  /** The address in the endpoints of the `kubernetes` Service; none are kept without it. */
  readonly advertiseAddress: string | undefined;
  readonly serviceClusterIpRange: string;
  /** CA file of kubelet serving certificates; undefined: they are not verified. */
  readonly kubeletCaFile: string | undefined;
  readonly nodeMonitorGracePeriod: string;
  readonly controllerManagerKubeconfig: string;
  readonly schedulerKubeconfig: string;
}

/**
 * An address for documentation (RFC 5737): without any, the API server looks for the machine's default route and does
 * not start on a laptop that is offline.
 */
const unusedAddress = '192.0.2.1';

/** The issuer of ServiceAccount tokens, and their default audience. */
export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

/** The arguments of a component, its own name first. */
export function componentArguments(name: ComponentName, settings: ComponentSettings): string[] {
  return [name, ...flags(flagsOf[name](settings))];
}

/** The first address of an IPv4 range, which the API server gives to the `kubernetes` Service: 10.96.0.0/16 → 10.96.0.1. */
export function firstServiceAddress(range: string): string {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(range);
  const [, a, b, c, d, length] = match?.map(Number) ?? [];
  if (a === undefined || b === undefined || c === undefined || d === undefined || length === undefined)
    throw new Error(`"${range}" is no IPv4 range such as 10.96.0.0/16`);
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  const first = ((((a << 24) | (b << 16) | (c << 8) | d) & mask) >>> 0) + 1;
  return [24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join('.');
}

type Flags = Readonly<Record<string, string | number | boolean | undefined>>;

const flagsOf: Readonly<Record<ComponentName, (settings: ComponentSettings) => Flags>> = {
  etcd: etcdFlags,
  'kube-apiserver': apiServerFlags,
  'kube-controller-manager': controllerManagerFlags,
  'kube-scheduler': schedulerFlags,
};

function flags(values: Flags): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

/** Without fsync a crash of the machine may lose the cluster, a crash of etcd does not. */
function etcdFlags(settings: ComponentSettings): Flags {
  const { etcdServer, etcdCaFile } = settings.credentials;
  const client = `https://127.0.0.1:${settings.etcdPort}`;
  const peer = `https://127.0.0.1:${settings.etcdPeerPort}`;
  return {
    name: 'local',
    'data-dir': settings.etcdDataDir,
    'unsafe-no-fsync': true,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `local=${peer}`,
    'client-cert-auth': true,
    'trusted-ca-file': etcdCaFile,
    'cert-file': etcdServer.cert,
    'key-file': etcdServer.key,
    'peer-client-cert-auth': true,
    'peer-trusted-ca-file': etcdCaFile,
    'peer-cert-file': etcdServer.cert,
    'peer-key-file': etcdServer.key,
    'auto-compaction-retention': 1,
    'log-level': 'warn',
  };
}

function apiServerFlags(settings: ComponentSettings): Flags {
  const { credentials } = settings;
  const { serviceAccountKeys } = credentials;
  return {
    'bind-address': '127.0.0.1',
    'secure-port': settings.apiPort,
    'advertise-address': settings.advertiseAddress ?? unusedAddress,
    'endpoint-reconciler-type': settings.advertiseAddress === undefined ? 'none' : undefined,
    ...keyPair('tls-cert-file', 'tls-private-key-file', credentials.apiServer),
    'client-ca-file': credentials.caFiles.cert,
    'anonymous-auth': false,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    // Alpha: without it the API server drops lifecycle.stopSignal, and no pod could show what is made of it.
    'feature-gates': 'ContainerStopSignals=true',
    'allow-privileged': true,
    profiling: false,
    'etcd-servers': `https://127.0.0.1:${settings.etcdPort}`,
    'etcd-cafile': credentials.etcdCaFile,
    ...keyPair('etcd-certfile', 'etcd-keyfile', credentials.etcdClient),
    'service-cluster-ip-range': settings.serviceClusterIpRange,
    'service-account-issuer': serviceAccountIssuer,
    'service-account-key-file': serviceAccountKeys.publicKey,
    'service-account-signing-key-file': serviceAccountKeys.privateKey,
    'kubelet-preferred-address-types': 'InternalIP',
    ...keyPair('kubelet-client-certificate', 'kubelet-client-key', credentials.kubeletClient),
    'kubelet-certificate-authority': settings.kubeletCaFile,
    'requestheader-client-ca-file': credentials.frontProxyCaFile,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    ...keyPair('proxy-client-cert-file', 'proxy-client-key-file', credentials.frontProxyClient),
  };
}

function controllerManagerFlags(settings: ComponentSettings): Flags {
  const { credentials } = settings;
  return {
    kubeconfig: settings.controllerManagerKubeconfig,
    'leader-elect': false,
    'secure-port': 0,
    profiling: false,
    'kube-api-qps': 100,
    'kube-api-burst': 200,
    'use-service-account-credentials': true,
    'service-account-private-key-file': credentials.serviceAccountKeys.privateKey,
    'root-ca-file': credentials.caFiles.cert,
    ...keyPair('cluster-signing-cert-file', 'cluster-signing-key-file', credentials.caFiles),
    'node-monitor-grace-period': settings.nodeMonitorGracePeriod,
  };
}

function schedulerFlags(settings: ComponentSettings): Flags {
  return {
    kubeconfig: settings.schedulerKubeconfig,
    'leader-elect': false,
    'secure-port': 0,
    profiling: false,
    'kube-api-qps': 100,
    'kube-api-burst': 200,
  };
}

function keyPair(certFlag: string, keyFlag: string, files: CertificateFiles): Flags {
  return { [certFlag]: files.cert, [keyFlag]: files.key };
}
