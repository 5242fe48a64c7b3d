import { join } from 'node:path';
import { stateKey } from '../aci/runtime/engine/podman-layout.ts';
import { ensureControlPlane } from '../cluster/build.ts';
import { clearMachine, startMachine, whyNoMachine } from '../machine/machine.ts';
import { silentProgress } from '../../cli/progress.ts';
import type { Report } from '../../cli/progress.ts';
import type { Cluster } from './cluster.ts';
import type { Emulator } from './emulator.ts';
import type { Parts } from './parts.ts';
import { waitForNode } from './wait-for-node.ts';

/** The ordinary node of a cloud that has one. */
export const machineName = 'vm-1';
/** What charts of the examples and tests run on it. */
const images = ['docker.io/library/busybox:1.36', 'docker.io/library/nginx:latest'];

const folderOf = (dir: string) => {
  const key = stateKey(join(dir, 'aci'));
  return { dir: join(dir, 'machine'), key, device: `sk-${key}` };
};

/** Of a cloud that was killed; before its emulator starts. */
export const clearOrdinaryNode = (dir: string): Promise<void> => clearMachine(folderOf(dir));

/** Starts an ordinary node beside the container groups' bridge, and waits until it is Ready. */
export async function bringUpMachine(
  {
    dir,
    cluster,
    emulator,
  }: { readonly dir: string; readonly cluster: Cluster; readonly emulator: Emulator | undefined },
  parts: Parts,
  report: Report,
): Promise<void> {
  const { controlPlane, forwarder } = cluster;
  const bridge = emulator?.child.value.bridge;
  const why = whyNoMachine();
  if (why !== undefined) throw new Error(`--machine: ${why}`);
  if (controlPlane === undefined || forwarder === undefined || bridge === undefined)
    throw new Error('--machine needs a control plane of its own, and Podman: its pods are beside the container groups');
  const { device, ...folder } = folderOf(dir);
  const { controlPlane: binary } = await ensureControlPlane({ progress: silentProgress });
  const machine = await startMachine({
    name: machineName,
    ...folder,
    bridge: { ...bridge, device },
    controlPlane,
    server: `https://${forwarder.address}:${forwarder.port}`,
    binary,
    clusterDns: cluster.dnsAddress,
    images,
  });
  parts.addStop(() => machine.stop(), undefined);
  await waitForNode(cluster.administrator, machineName, report);
  report(`${machineName} at ${machine.address}`);
}
