/** An ordinary node of the real cluster: Kubernetes' own kubelet and kube-proxy over containerd, in a network namespace of its own. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { Child, ChildOptions } from '../child.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { clientCertificateKubeconfig } from '../cluster/kubeconfig.ts';
import { onPath } from '../aci/runtime/engine/backend.ts';
import type { KeyPair } from '../pki.ts';
import {
  containerdConfig,
  kubeProxyConfig,
  kubeletConfig,
  networkConfig,
  pluginFolder,
  resolvConf,
} from './configuration.ts';
import { saveImages } from './images.ts';
import { joinNetwork, leaveNetwork, namespaceFile, removeBridge } from './network.ts';
import { machineFiles, machineNames, machinePlace } from './place.ts';
import type { MachineFiles, MachinePlace } from './place.ts';
import { clearRuntime, endContainers, importImages, waitForRuntime } from './runtime.ts';

export interface MachineOptions {
  readonly name: string;
  /** Holds its state, for as long as it runs. */
  readonly dir: string;
  /** 12 hexadecimal digits of the cloud's state folder. */
  readonly key: string;
  readonly bridge: MachinePlace['bridge'];
  readonly controlPlane: Pick<ControlPlane, 'caPem' | 'issueCertificate'>;
  /** The API server as it is reached from the bridge. */
  readonly server: string;
  /** With `kubelet` and `kube-proxy`. */
  readonly binary: string;
  readonly clusterDns: string | undefined;
  /** Of Podman's store; nothing is pulled. */
  readonly images: readonly string[];
}

export interface Machine {
  readonly address: string;
  readonly children: readonly Child<undefined>[];
  /** Ends it with its pods; the Node object stays, as of a machine that lost its power. Safe to repeat. */
  stop(): Promise<void>;
}

const debianPackages = 'containerd containernetworking-plugins iproute2 iptables';

/** Why this machine can have none, in a sentence; undefined: it can. */
export function whyNoMachine(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'an ordinary node needs Linux and root';
  const missing = ['containerd', 'ctr', 'ip', 'iptables', 'nsenter'].filter((program) => onPath(program) === undefined);
  if (!existsSync(join(pluginFolder, 'bridge'))) missing.push('the network plugin bridge');
  return missing.length === 0
    ? undefined
    : `an ordinary node needs ${missing.join(', ')} (Debian: apt-get install ${debianPackages})`;
}

/** What a machine that was killed with its cloud has left; before the container groups' bridge is made. Safe to repeat. */
export async function clearMachine({
  dir,
  key,
  device,
}: {
  readonly dir: string;
  readonly key: string;
  readonly device: string;
}): Promise<void> {
  if (!existsSync(dir) || whyNoMachine() !== undefined) return;
  await clearRuntime(machineFiles(dir, key));
  await leaveNetwork(machineNames(key));
  await removeBridge(device);
  rmSync(dir, { recursive: true, force: true });
}

/** Starts it; resolves when its programs run. The node is Ready some seconds later. A failure leaves nothing behind. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const place = machinePlace(options.key, options.bridge);
  const files = machineFiles(options.dir, options.key);
  const children: Child<undefined>[] = [];
  const stop = async (): Promise<void> => {
    const [containerd, ...others] = children;
    for (const child of others.toReversed()) await child.stop(5_000);
    if (containerd !== undefined) await endContainers(files);
    await containerd?.stop(5_000);
    await clearRuntime(files);
    await leaveNetwork(place);
    rmSync(options.dir, { recursive: true, force: true });
    children.length = 0;
  };
  try {
    const configs = await writeConfigs(options, place, files);
    await joinNetwork(place);
    const start = async (name: string, command: string, ...args: readonly string[]): Promise<void> => {
      children.push(await startChild(insideOf(place, { options, name, command, args })));
    };
    await start('containerd', onPath('containerd') ?? 'containerd', '--config', configs.containerd);
    await waitForRuntime(files);
    await importImages(files, await saveImages(options.images, options.dir));
    await start('kubelet', options.binary, 'kubelet', ...kubeletArguments(options, { place, files, configs }));
    await start('kube-proxy', options.binary, 'kube-proxy', '--config', configs.kubeProxy);
    return { address: place.address, children, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const insideOf = (
  place: MachinePlace,
  {
    options,
    name,
    command,
    args,
  }: {
    readonly options: MachineOptions;
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
  },
): ChildOptions => ({
  name: `${options.name}-${name}`,
  command: 'nsenter',
  args: [`--net=${namespaceFile(place)}`, '--', command, ...args],
  logFile: join(options.dir, `${name}.log`),
});

interface Configs {
  readonly containerd: string;
  readonly kubelet: string;
  readonly kubeletKubeconfig: string;
  readonly kubeProxy: string;
}

const kubeletArguments = (
  { name }: MachineOptions,
  { place, files, configs }: { readonly place: MachinePlace; readonly files: MachineFiles; readonly configs: Configs },
): readonly string[] => [
  '--config',
  configs.kubelet,
  '--kubeconfig',
  configs.kubeletKubeconfig,
  '--root-dir',
  files.kubelet,
  '--hostname-override',
  name,
  '--node-ip',
  place.address,
];

async function writeConfigs(options: MachineOptions, place: MachinePlace, files: MachineFiles): Promise<Configs> {
  const { name, dir, controlPlane, server, clusterDns } = options;
  for (const folder of [dir, files.cni, files.runDir, files.kubelet])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (file: string, content: string | object): string => {
    const path = join(dir, file);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    return path;
  };
  const endpoint = { url: server, caPem: controlPlane.caPem };
  const client = (commonName: string, ...organizations: readonly string[]): Promise<KeyPair> =>
    controlPlane.issueCertificate({ commonName, organizations, usages: ['client'] });
  const user = `system:node:${name}`;
  const serving = await controlPlane.issueCertificate({
    commonName: user,
    organizations: ['system:nodes'],
    ipAddresses: [place.address],
    usages: ['server'],
  });
  write('cni/machine.conflist', networkConfig(place, files));
  const proxyUser = 'system:kube-proxy';
  const proxyKubeconfig = write(
    'kube-proxy.kubeconfig',
    clientCertificateKubeconfig(endpoint, proxyUser, await client(proxyUser)),
  );
  return {
    containerd: write('containerd.toml', containerdConfig(files)),
    kubeletKubeconfig: write(
      'kubelet.kubeconfig',
      clientCertificateKubeconfig(endpoint, user, await client(user, 'system:nodes')),
    ),
    kubelet: write(
      'kubelet.yaml',
      kubeletConfig({
        files,
        clusterDns,
        clientCaFile: write('client-ca.crt', controlPlane.caPem),
        certificate: { cert: write('kubelet.crt', serving.certPem), key: write('kubelet.key', serving.keyPem) },
        resolvConf: write('resolv.conf', resolvConf),
      }),
    ),
    kubeProxy: write('kube-proxy.yaml', kubeProxyConfig(name, proxyKubeconfig)),
  };
}
