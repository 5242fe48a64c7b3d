import { join } from 'node:path';
import type { Progress } from '../../cli/progress.ts';
import { whyNoNamespaces } from '../aci/network/namespaces.ts';
import { startClusterDns } from '../cluster/cluster-dns.ts';
import type { ClusterDns } from '../cluster/cluster-dns.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { ensureCoreDns } from '../cluster/coredns.ts';
import { GoToolchainError } from '../cluster/go-toolchain.ts';
import type { ClusterKind } from './cluster.ts';

/** What the cluster's DNS is started with. */
export interface DnsGround {
  /** Path of CoreDNS. */
  readonly binary: string;
  /** `address:port` of what stands for Azure's resolver. */
  readonly upstream: string | undefined;
}

/**
 * CoreDNS, for the names of a cluster of our own and of the groups' network; undefined where this machine can not have
 * them, which a line says.
 */
export async function chooseCoreDns(
  kind: ClusterKind,
  runtime: 'engine' | 'process',
  progress: Progress,
): Promise<string | undefined> {
  if (kind !== 'real' || runtime !== 'engine') return undefined;
  const why = whyNoNamespaces();
  if (why === undefined)
    try {
      return (await ensureCoreDns({ progress })).binary;
    } catch (error) {
      if (!(error instanceof GoToolchainError)) throw error;
    }
  progress.line(
    `no names and Services of the cluster in containers: ${why ?? 'CoreDNS is built by Go, and there is none'}`,
  );
  return undefined;
}

/** The DNS of a real cluster. */
export function bringUpDns(
  dir: string,
  options: {
    readonly controlPlane: ControlPlane;
    readonly gateway: string;
    readonly dns: DnsGround;
    readonly progress: Progress;
  },
): Promise<ClusterDns> {
  const { controlPlane, gateway, dns, progress } = options;
  return progress.step('cluster DNS', async (report) => {
    const started = await startClusterDns({ ...dns, controlPlane, gateway, stateDir: join(dir, 'cluster', 'dns') });
    report(`${started.serviceAddress}  CoreDNS`);
    return started;
  });
}
