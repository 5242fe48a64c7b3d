import type { ContainerRuntime } from '../runtime/runtime.ts';
import { noGroupNetworks } from './group-networks.ts';
import type { GroupNetworks } from './group-networks.ts';
import type { NetworkKnobs } from './knobs.ts';

export interface GroupNetworksOptions {
  readonly runtime: ContainerRuntime;
  readonly knobs: NetworkKnobs;
  /** Path of CoreDNS; without it nothing answers for Azure's resolver. */
  readonly coredns: string | undefined;
  readonly dir: string;
  readonly log: (line: string) => void;
}

/** What this machine can do in the networks of the groups; where that is nothing, a line says so once it is missed. */
export async function openGroupNetworks(options: GroupNetworksOptions): Promise<GroupNetworks> {
  const { runtime, knobs, coredns, dir, log } = options;
  const { bridge } = runtime;
  if (bridge === undefined) return noGroupNetworks(`the runtime ${runtime.kind} has no network for each`, log);
  const { Namespaces, whyNoNamespaces } = await import('./namespaces.ts');
  const why = whyNoNamespaces();
  if (why !== undefined) return noGroupNetworks(why, log);
  const { startResolver } = await import('./resolver.ts');
  const start = { address: bridge.gateway, vnetDns: knobs.vnetDns, dir };
  const resolver =
    coredns === undefined
      ? undefined
      : await startResolver({ ...start, binary: coredns }).catch((error: unknown) => {
          log(`nobody answers for Azure's resolver: ${error instanceof Error ? error.message : String(error)}`);
          return undefined;
        });
  return new Namespaces({ dir, knobs, resolver, log, gateway: bridge.gateway });
}
