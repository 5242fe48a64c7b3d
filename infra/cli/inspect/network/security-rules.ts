import { isIPv4 } from 'node:net';
import { isPrivateAddress, isWithinRange } from '../ipv4-match.ts';

/** One rule of a network security group, of the group's own or of Azure's defaults. */
export interface SecurityRule {
  readonly name: string;
  readonly allows: boolean;
  readonly isInbound: boolean;
  /** The least is looked at first. */
  readonly priority: number;
  /** `*`, `Tcp`, `Udp` … */
  readonly protocol: string;
  /** Ranges and service tags; empty where the rule names application security groups. */
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  /** `*`, `443`, `8000-8999`; of the destination. */
  readonly ports: readonly string[];
}

/** Who is at the other end, as far as it is known. */
export type Remote = { readonly kind: 'internet' | 'network' } | { readonly kind: 'address'; readonly address: string };

/** A connection between the subnet and somebody. */
export interface Packet {
  readonly isInbound: boolean;
  readonly protocol: 'tcp' | 'udp';
  /** Undefined: any. */
  readonly port: number | undefined;
  readonly remote: Remote;
}

type Coverage = 'yes' | 'maybe' | 'no';

/**
 * The rule by which the group denies such a connection; undefined: it allows it, or it is not known. What can't be known (a
 * service tag's addresses, application security groups) counts as covered by a rule that allows, and not by one that denies.
 */
export function denyingRule(
  rules: readonly SecurityRule[],
  packet: Packet,
  prefixes: readonly string[],
): SecurityRule | undefined {
  const decisive = rules
    .filter(({ isInbound }) => isInbound === packet.isInbound)
    .toSorted((left, right) => left.priority - right.priority)
    .find((rule) => {
      const covered = coverage(rule, packet, prefixes);
      return rule.allows ? covered !== 'no' : covered === 'yes';
    });
  return decisive?.allows === false ? decisive : undefined;
}

function coverage(rule: SecurityRule, packet: Packet, prefixes: readonly string[]): Coverage {
  const [own, remote] = packet.isInbound ? [rule.destinations, rule.sources] : [rule.sources, rule.destinations];
  return all([
    rule.protocol === '*' || rule.protocol.toLowerCase() === packet.protocol ? 'yes' : 'no',
    any(rule.ports.map((range) => portCoverage(range, packet.port))),
    any(own.map((range) => ownCoverage(range, prefixes))),
    any(remote.map((range) => remoteCoverage(range, packet.remote))),
  ]);
}

const all = (parts: readonly Coverage[]): Coverage =>
  parts.includes('no') ? 'no' : parts.includes('maybe') ? 'maybe' : 'yes';

/** Nothing named: application security groups. */
const any = (parts: readonly Coverage[]): Coverage =>
  parts.includes('yes') ? 'yes' : parts.includes('maybe') || parts.length === 0 ? 'maybe' : 'no';

function portCoverage(range: string, port: number | undefined): Coverage {
  if (range === '*') return 'yes';
  const [from = '', to = from] = range.split('-');
  if (port === undefined) return Number(from) <= 1 && Number(to) === 65_535 ? 'yes' : 'maybe';
  return Number(from) <= port && port <= Number(to) ? 'yes' : 'no';
}

const isEverything = (range: string): boolean => /^(\*|any|0\.0\.0\.0\/0)$/i.test(range);
const isNetworkTag = (range: string): boolean => range.toLowerCase() === 'virtualnetwork';
const isRange = (range: string): boolean => isIPv4(range.split('/')[0] ?? '');

/** A rule for a part of the subnet concerns some of its pods. */
function ownCoverage(range: string, prefixes: readonly string[]): Coverage {
  if (isEverything(range) || isNetworkTag(range)) return 'yes';
  if (!isRange(range)) return 'no';
  const holds = (outer: string, inner: string): boolean => isWithinRange(inner.split('/')[0] ?? '', outer);
  if (prefixes.some((prefix) => holds(range, prefix) && bitsOf(range) <= bitsOf(prefix))) return 'yes';
  return prefixes.some((prefix) => holds(prefix, range)) ? 'maybe' : 'no';
}

const bitsOf = (range: string): number => Number(range.split('/')[1] ?? 32);

function remoteCoverage(range: string, remote: Remote): Coverage {
  if (isEverything(range)) return 'yes';
  const isNear = remote.kind === 'network' || (remote.kind === 'address' && isPrivateAddress(remote.address));
  if (isNetworkTag(range)) return isNear ? 'yes' : 'no';
  if (range.toLowerCase() === 'internet') return isNear ? 'no' : 'yes';
  if (!isRange(range)) return isNear ? 'no' : 'maybe';
  if (remote.kind === 'address') return isWithinRange(remote.address, range) ? 'yes' : 'no';
  return isPrivateAddress(range.split('/')[0] ?? '') === isNear ? 'maybe' : 'no';
}
