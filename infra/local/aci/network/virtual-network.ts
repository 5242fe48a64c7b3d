import { sleep } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { GroupEntry, SandboxHandle } from '../group-store.ts';
import type { GroupNetworks } from './group-networks.ts';
import { isInSubnet } from './group-networks.ts';
import type { NetworkKnobs } from './knobs.ts';
import { SubnetRoom } from './room.ts';

/** How often a group looks for an address. */
const lookMs = 1000;

/** The network of groups in subnets: its knobs, its addresses, and what is done in each group's own namespace. */
export class VirtualNetwork {
  readonly groups: GroupNetworks;
  readonly #room: SubnetRoom;
  #knobs: NetworkKnobs;

  constructor(options: {
    readonly groups: GroupNetworks;
    readonly knobs: NetworkKnobs;
    readonly subnets: readonly { readonly id: string; readonly cidr: string }[];
  }) {
    this.groups = options.groups;
    this.#knobs = options.knobs;
    this.#room = new SubnetRoom(options.subnets);
  }

  get knobs(): NetworkKnobs {
    return this.#knobs;
  }

  /** Changes some of the knobs; resolves when groups that run have noticed. */
  async turn(changes: Partial<NetworkKnobs>): Promise<void> {
    this.#knobs = { ...this.#knobs, ...changes };
    await this.groups.turn(this.#knobs);
  }

  /**
   * Takes an address of the group's subnet for it, which it keeps until {@link free}. A subnet that is full refuses
   * nothing: the group waits until there is an address (recorded: in vain, until its time is up). False: aborted.
   */
  async admit({ id, body }: GroupEntry, clock: Clock, signal: AbortSignal): Promise<boolean> {
    const subnet = body.properties.subnetIds?.[0]?.id;
    if (subnet === undefined) return true;
    while (!this.#room.take(subnet, id, this.#knobs.subnetAddresses))
      if (!(await sleep(clock, lookMs, signal))) return false;
    return true;
  }

  /** The group has its sandbox, and no container yet. */
  async join(sandbox: SandboxHandle, { body }: GroupEntry): Promise<void> {
    if (isInSubnet(body)) await this.groups.join(sandbox);
  }

  free({ id, body }: GroupEntry): void {
    this.#room.free(body.properties.subnetIds?.[0]?.id ?? '', id);
  }
}
