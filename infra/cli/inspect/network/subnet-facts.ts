import type { Part } from '../observed.ts';
import type { WayOut } from '../pods-reach/facts.ts';
import type { SecurityRule } from './security-rules.ts';

export interface SecurityGroup {
  readonly name: string;
  readonly rules: readonly SecurityRule[];
}

export interface Route {
  readonly name: string;
  readonly prefix: string;
  /** `VirtualAppliance`, `VirtualNetworkGateway`, `VnetLocal`, `Internet`, `None`. */
  readonly nextHop: string;
  readonly address: string | undefined;
}

/** A subnet, and what is on its ways. Undefined: it has none. */
export interface SubnetNetwork {
  readonly id: string;
  readonly prefixes: readonly string[];
  readonly securityGroup: Part<SecurityGroup | undefined>;
  readonly routes: Part<readonly Route[] | undefined>;
  /** Public addresses and ranges of its NAT gateway. */
  readonly natAddresses: Part<readonly string[] | undefined>;
  /** False: the subnet has no way out of Azure's own. */
  readonly defaultOutbound: boolean | undefined;
}

const everything = '0.0.0.0/0';

/** The route that all takes that has no other one. */
export const defaultRoute = ({ routes }: SubnetNetwork): Route | undefined =>
  routes.kind === 'read' ? routes.value?.find(({ prefix }) => prefix === everything) : undefined;

/** How packets leave the subnet. Pure. */
export function wayOutOf(subnet: SubnetNetwork): WayOut {
  const route = defaultRoute(subnet);
  if (route?.nextHop === 'None') return { kind: 'none' };
  if (route !== undefined && route.nextHop !== 'Internet')
    return { kind: 'appliance', address: route.address ?? `its ${route.nextHop}` };
  const { routes, natAddresses, defaultOutbound } = subnet;
  if (natAddresses.kind === 'unreadable' || routes.kind === 'unreadable') return { kind: 'unknown' };
  if (natAddresses.value !== undefined) return { kind: 'nat' };
  return { kind: defaultOutbound === false ? 'none' : 'default' };
}
