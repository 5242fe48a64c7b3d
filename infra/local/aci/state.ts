import type { AddressPool } from './addresses.ts';
import type { Clock } from './clock.ts';
import type { ArmFault } from './errors.ts';
import type { ExecEndpoint } from './exec/endpoint.ts';
import type { FaultRule, FaultTable } from './faults.ts';
import type { GroupEntry, GroupStore } from './group-store.ts';
import type { TokenRegistry } from './identity.ts';
import type { Journal } from './journal.ts';
import type { ArmRequest, Json } from './json.ts';
import type { LifeContext } from './life.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { RateLimits } from './limits.ts';
import type { VirtualNetwork } from './network/virtual-network.ts';
import type { EmulatorOptions } from './options.ts';
import type { Principal } from './rbac.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';
import { defined } from '../../../shared/core/defined.ts';

/** All that the emulator knows, shared by its doors. In memory only. */
export interface EmulatorState {
  readonly options: EmulatorOptions;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly store: GroupStore;
  readonly limits: RateLimits;
  readonly faults: FaultTable;
  readonly journal: Journal;
  readonly tokens: TokenRegistry;
  readonly addresses: AddressPool;
  readonly network: VirtualNetwork;
  readonly monitor: Monitor;
  readonly exec: ExecEndpoint;
  readonly life: LifeContext;
  readonly subscriptionId: string;
  /** Canonical names by their lower-case form. */
  readonly resourceGroups: ReadonlyMap<string, string>;
  /** Normalised names of the regions that exist. */
  readonly locations: readonly string[];
  readonly principals: readonly Principal[];
  readonly isAudience: (audience: string) => boolean;
  /** Work that goes on after an answer; `settled` waits for it. */
  readonly background: Set<Promise<unknown>>;
}

/** One request after the front door let it in. */
export interface ArmCall {
  readonly request: ArmRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly apiVersion: string;
  readonly principal: Principal;
  readonly capacity: FaultRule['capacity'];
}

export interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
}

export type HandlerAnswer = Reply | ArmFault;
export type Handler = (state: EmulatorState, call: ArmCall) => HandlerAnswer | Promise<HandlerAnswer>;

export function reply(status: number, body?: Json, headers?: Readonly<Record<string, string>>): Reply {
  return {
    kind: 'reply',
    status,
    ...defined({ body, headers }),
  };
}

/** Lets work go on behind an answer; its trouble is logged. */
export function inBackground(state: EmulatorState, work: Promise<unknown>): void {
  const tracked = work.catch((error: unknown) => {
    state.life.log(error instanceof Error ? error.message : String(error));
  });
  state.background.add(tracked);
  void tracked.then(() => state.background.delete(tracked));
}

/** Frees a group's address and ends its life in the background. */
export function releaseGroup(state: EmulatorState, entry: GroupEntry): void {
  const subnet = entry.body.properties.subnetIds?.[0]?.id ?? 'default';
  if (entry.ip !== undefined && entry.body.properties.ipAddress?.type === 'Private')
    state.addresses.free(subnet, entry.ip);
  state.network.free(entry);
  if (entry.life !== undefined) inBackground(state, entry.life.destroy());
}

/** `West Europe` → `westeurope`. */
export function normalizeLocation(location: string): string {
  return location.toLowerCase().replaceAll(' ', '');
}
