import { extensionOf, kubeProxyOf } from '../extensions.ts';
import type { RunUsage, SandboxHandle } from '../group-store.ts';
import type { GroupBody } from '../wire.ts';
import type { NetworkKnobs } from './knobs.ts';

/** What the platform does in the network of each group, besides giving it an address. */
export interface GroupNetworks {
  /** What a group in a subnet asks that names no server; undefined: what the runtime has. */
  readonly nameServer: string | undefined;
  /** `address:port` of who answers for it, for programs of this machine. */
  readonly resolver?: string | undefined;
  /** A group in a subnet has its sandbox, and no container yet. */
  join(sandbox: SandboxHandle): Promise<void>;
  /** Starts what the group's extensions ask for; once for each sandbox. `usage`: what its containers use. */
  startExtensions(sandbox: SandboxHandle, body: GroupBody, usage: () => Promise<readonly RunUsage[]>): Promise<void>;
  /** The sandbox is about to go. */
  leave(sandboxId: string): Promise<void>;
  /** The knobs were turned; groups that run notice too. */
  turn(knobs: NetworkKnobs): Promise<void>;
  close(): Promise<void>;
}

/** For runtimes whose groups have no network namespace that could be entered: says so once, and does nothing. */
export function noGroupNetworks(why: string, log: (line: string) => void): GroupNetworks {
  let reported = false;
  return {
    nameServer: undefined,
    join: async () => undefined,
    startExtensions: async (_, body) => {
      if (reported || (kubeProxyOf(body) ?? extensionOf(body, 'realtime-metrics')) === undefined) return;
      reported = true;
      log(`no kube-proxy and no realtime-metrics in the groups: ${why}`);
    },
    leave: async () => undefined,
    turn: async () => undefined,
    close: async () => undefined,
  };
}

/** Whether a body puts its group in a subnet. */
export const isInSubnet = ({ properties }: GroupBody): boolean => (properties.subnetIds ?? []).length > 0;
