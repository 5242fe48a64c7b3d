/** What containerd, its network plugin, the kubelet and kube-proxy start with. Pure texts; JSON is YAML. */
import { azureResolver } from '../aci/network/group-rules.ts';
import { clusterCidr } from './place.ts';
import type { MachineFiles, MachinePlace } from './place.ts';

/** Debian's folder of network plugins. */
export const pluginFolder = '/usr/lib/cni';
export const pauseImage = 'localhost/serverless-kubelet/machine-pause:1';

/** containerd 1.6's own format. May not raise limits, as a machine without CAP_SYS_RESOURCE can't. */
export const containerdConfig = ({ root, state, socket, cni }: MachineFiles): string => `version = 2
root = "${root}"
state = "${state}"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${pluginFolder}"
    conf_dir = "${cni}"
`;

export const networkConfig = ({ podRange, podGateway }: MachinePlace, { root }: MachineFiles): object => ({
  cniVersion: '1.0.0',
  name: 'machine',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods',
      isGateway: true,
      ipMasq: false,
      ipam: {
        type: 'host-local',
        dataDir: `${root}/addresses`,
        ranges: [[{ subnet: podRange, gateway: podGateway }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
});

export interface KubeletConfigInput {
  readonly files: MachineFiles;
  readonly clusterDns: string | undefined;
  readonly clientCaFile: string;
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly resolvConf: string;
}

/** Machines here have cgroup v1 beside v2, and may create no cgroup hierarchy of their own. */
export const kubeletConfig = (input: KubeletConfigInput): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupsPerQOS: false,
  enforceNodeAllocatable: [],
  failSwapOn: false,
  containerRuntimeEndpoint: `unix://${input.files.socket}`,
  clusterDomain: 'cluster.local',
  ...(input.clusterDns === undefined ? {} : { clusterDNS: [input.clusterDns] }),
  resolvConf: input.resolvConf,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: input.clientCaFile },
  },
  // Whoever has a certificate of the cluster's CA is the API server.
  authorization: { mode: 'AlwaysAllow' },
  tlsCertFile: input.certificate.cert,
  tlsPrivateKeyFile: input.certificate.key,
  port: 10_250,
  healthzPort: 0,
  makeIPTablesUtilChains: false,
  localStorageCapacityIsolation: false,
  imageGCHighThresholdPercent: 100,
  evictionHard: { 'memory.available': '1Mi' },
  serializeImagePulls: false,
});

/** What a pod under `dnsPolicy: Default` has of a machine in a virtual network. */
export const resolvConf = `nameserver ${azureResolver}\n`;

/** Limits of connection tracking are the real machine's. */
export const kubeProxyConfig = (name: string, kubeconfig: string): object => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  clientConnection: { kubeconfig },
  mode: 'iptables',
  hostnameOverride: name,
  clusterCIDR: clusterCidr,
  nodePortAddresses: ['primary'],
  conntrack: { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: '0s', tcpEstablishedTimeout: '0s' },
  iptables: { minSyncPeriod: '0.2s' },
});
