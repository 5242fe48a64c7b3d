import { join } from 'node:path';
import type { Progress } from '../../cli/progress.ts';
import { whyNoNamespaces } from '../aci/network/namespaces.ts';
import { startClusterDns } from '../cluster/cluster-dns.ts';
import type { ClusterDns } from '../cluster/cluster-dns.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { ensureCoreDns } from '../cluster/coredns.ts';
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
  const why = whyNoNamespaces() ?? (await whyNot(() => ensureCoreDns({ progress })));
  if (typeof why === 'object') return why.binary;
  progress.line(`no names and Services of the cluster in containers: ${why}`);
  return undefined;
}

/** What came of it, or the first line of why nothing did: nobody's start fails by what can be left out. */
async function whyNot<T extends object>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
  }
}

/** The DNS of a real cluster; undefined where it does not start, which a line says. */
export async function bringUpDns(
  dir: string,
  options: {
    readonly controlPlane: ControlPlane;
    readonly gateway: string;
    readonly dns: DnsGround;
    readonly progress: Progress;
  },
): Promise<ClusterDns | undefined> {
  const { controlPlane, gateway, dns, progress } = options;
  const start = progress.step('cluster DNS', async (report) => {
    const started = await startClusterDns({ ...dns, controlPlane, gateway, stateDir: join(dir, 'cluster', 'dns') });
    report(`${started.serviceAddress}  CoreDNS`);
    return started;
  });
  const started = await whyNot(() => start);
  if (typeof started === 'object') return started;
  progress.line(`no names of the cluster in containers: ${started}`);
  return undefined;
}
