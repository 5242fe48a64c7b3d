import { failed, good, skipped, warned } from '../check.ts';
import type { Check } from '../check.ts';
import { denyingRule } from './security-rules.ts';
import type { Packet } from './security-rules.ts';
import { defaultRoute, wayOutOf } from './subnet-facts.ts';
import type { SubnetNetwork } from './subnet-facts.ts';

/** A connection that is needed, and what for. */
export interface NeededWay {
  readonly what: string;
  readonly packet: Packet;
}

const rulesFix = (group: string): string =>
  `Put a rule of a smaller priority number before it: az network nsg rule create --nsg-name ${group} --access Allow …`;

/** Whether the subnet's security group lets through what is needed. `severity`: of what it denies. */
export function judgeSecurity(
  name: string,
  { securityGroup, prefixes }: SubnetNetwork,
  ways: readonly NeededWay[],
  severity: 'failed' | 'warning' = 'failed',
): Check {
  if (securityGroup.kind === 'unreadable') return skipped(name, securityGroup.reason);
  const group = securityGroup.value;
  if (group === undefined) return good(name, 'The subnet has no security group, which lets everything through.');
  const denied = ways.flatMap(({ what, packet }) => {
    const rule = denyingRule(group.rules, packet, prefixes);
    return rule === undefined ? [] : [`${what} by the rule ${rule.name}`];
  });
  if (denied.length > 0)
    return (severity === 'failed' ? failed : warned)(
      name,
      `${group.name} denies ${denied.join('; ')}.`,
      rulesFix(group.name),
    );
  const list = ways.map(({ what }) => what).join(', ');
  return good(name, `No rule of ${group.name} is known to deny ${list}.`);
}

/** How packets leave the subnet, and where there is no way. */
export function judgeWayOut(name: string, subnet: SubnetNetwork): Check {
  const way = wayOutOf(subnet);
  const route = defaultRoute(subnet);
  const nat = 'az network nat gateway create, then az network vnet subnet update --ids … --nat-gateway … gives it one.';
  switch (way.kind) {
    case 'appliance':
      return good(
        name,
        `The route ${route?.name ?? ''} sends everything to ${way.address} (${route?.nextHop ?? ''}): what leaves, that one lets through.`,
      );
    case 'none':
      return route === undefined
        ? failed(name, 'There is none: no NAT gateway, no route, and default outbound access is off.', nat)
        : failed(
            name,
            `The route ${route.name} drops everything that has no other route.`,
            'Take it away, or route 0.0.0.0/0 to a firewall: az network route-table route update',
          );
    case 'default':
      return warned(
        name,
        "There is no NAT gateway, and no route to a firewall: Azure's default outbound access, which new subnets no longer have and container groups may lack.",
        nat,
      );
    case 'nat':
      return good(name, `By a NAT gateway: ${addressesOf(subnet).join(', ') || 'its addresses are not known'}.`);
    case 'unknown':
      return skipped(
        name,
        [subnet.natAddresses, subnet.routes]
          .flatMap((one) => (one.kind === 'unreadable' ? [one.reason] : []))
          .join(' '),
      );
  }
}

/** Public addresses of its NAT gateway. */
export const addressesOf = ({ natAddresses }: SubnetNetwork): readonly string[] =>
  natAddresses.kind === 'read' ? (natAddresses.value ?? []) : [];

/** What the relay's probes and `kubectl port-forward` need. */
export const inboundWay: NeededWay = {
  what: "connections from the network to the pods' ports (readiness probes of the relay, port-forward)",
  packet: { isInbound: true, protocol: 'tcp', port: undefined, remote: { kind: 'network' } },
};

export const internetWay: NeededWay = {
  what: '443 to the Internet',
  packet: { isInbound: false, protocol: 'tcp', port: 443, remote: { kind: 'internet' } },
};

/** From where the app runs; that the pods' own subnet has a part in it is not documented. */
export const consoleWay: NeededWay = {
  what: 'port 19390 of ACI, by which exec and attach go',
  packet: { isInbound: false, protocol: 'tcp', port: 19_390, remote: { kind: 'internet' } },
};
