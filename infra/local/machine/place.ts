import { join } from 'node:path';
import { formatIpv4, parseIpv4 } from '../aci/runtime/engine/subnet.ts';

/** Where a machine is: its address beside the container groups, and what its pods have behind it. */
export interface MachinePlace {
  readonly bridge: { readonly device: string; readonly gateway: string; readonly subnet: string };
  /** The last address of the bridge's subnet: the engine gives out the first ones. */
  readonly address: string;
  /** Of its pods, each a /24 of {@link clusterCidr}. */
  readonly podRange: string;
  readonly podGateway: string;
  /** Its network namespace, and the outer end of its cable. */
  readonly namespace: string;
  readonly cable: string;
}

/** The pods of all ordinary machines; what `attach` is given as `--cluster-cidr`. */
export const clusterCidr = '10.244.0.0/16';

/** `key`: that of the cloud's state folder, so that two clouds on one machine are apart. Pure. */
export function machinePlace(key: string, bridge: MachinePlace['bridge']): MachinePlace {
  const [network = '', length = '24'] = bridge.subnet.split('/');
  const last = parseIpv4(network) + 2 ** (32 - Number(length)) - 2;
  // Clouds have bridges of their own, so that the third number of a bridge is no other's.
  const [, , third = '0'] = network.split('.');
  return {
    bridge,
    address: formatIpv4(last),
    podRange: `10.244.${third}.0/24`,
    podGateway: `10.244.${third}.1`,
    ...machineNames(key),
  };
}

/** Of what it is made of on this machine. */
export const machineNames = (key: string): Pick<MachinePlace, 'namespace' | 'cable'> => ({
  namespace: `sk-${key}`,
  cable: `skm-${key.slice(0, 11)}`,
});

/** The files of a machine. */
export interface MachineFiles {
  /** Short, because a unix socket's path holds 108 characters at most. All its programs name a path below it. */
  readonly runDir: string;
  readonly state: string;
  readonly socket: string;
  readonly root: string;
  readonly kubelet: string;
  readonly cni: string;
}

export function machineFiles(dir: string, key: string): MachineFiles {
  const runDir = join('/run', 'serverless-kubelet', `${key}-machine`);
  return {
    runDir,
    state: join(runDir, 'state'),
    socket: join(runDir, 'containerd.sock'),
    root: join(dir, 'containerd'),
    kubelet: join(dir, 'kubelet'),
    cni: join(dir, 'cni'),
  };
}
