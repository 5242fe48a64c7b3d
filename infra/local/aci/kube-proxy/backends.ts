import { isIPv4 } from 'node:net';
import { keyOf } from './objects.ts';
import type { Endpoints, Service } from './objects.ts';

/** One port of one Service with all that answers for it. Every address is IPv4, every port in range. */
export interface ServicePort {
  /** `namespace/name:port`, or without `:port` where it has no name. */
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly clusterIp: string;
  readonly port: number;
  /** Further addresses that lead here: external ones, and those of load balancers. */
  readonly outside: readonly string[];
  /** From where the load balancers' addresses lead here; empty: from everywhere. */
  readonly sourceRanges: readonly string[];
  /** For how long a client stays with one endpoint, in seconds; undefined: not at all. */
  readonly affinitySeconds: number | undefined;
  /** `address:port`, sorted. */
  readonly endpoints: readonly string[];
}

export interface Backends {
  readonly ports: readonly ServicePort[];
  /** One sentence for each object of which something was left out. */
  readonly faults: readonly string[];
}

const defaultAffinitySeconds = 10_800;

/**
 * What every port of every Service leads to. Headless Services, names of other places, IPv6 and SCTP have no part in it;
 * what makes no sense is left out and reported.
 */
export function serviceBackends(services: Iterable<Service>, endpoints: Iterable<Endpoints>): Backends {
  const byKey = new Map([...endpoints].map((object) => [keyOf(object), object]));
  const ports: ServicePort[] = [];
  const faults: string[] = [];
  for (const service of services) {
    const { clusterIP = '', ports: declared = [] } = service.spec;
    if (!isIPv4(clusterIP)) continue;
    const own = byKey.get(keyOf(service));
    const skipped = new Set<string>();
    for (const port of declared) {
      const made = servicePort(service, { port, clusterIp: clusterIP, own, skipped });
      if (made !== undefined) ports.push(made);
    }
    if (skipped.size > 0) faults.push(`${keyOf(service)}: left out ${shortened([...skipped])}`);
  }
  return { ports, faults };
}

function servicePort(
  service: Service,
  {
    port,
    clusterIp,
    own,
    skipped,
  }: {
    readonly port: NonNullable<Service['spec']['ports']>[number];
    readonly clusterIp: string;
    readonly own: Endpoints | undefined;
    readonly skipped: Set<string>;
  },
): ServicePort | undefined {
  const { spec } = service;
  const protocol = port.protocol.toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined;
  if (!isPort(port.port)) {
    skipped.add(`port ${port.port}`);
    return undefined;
  }
  return {
    name: `${keyOf(service)}${port.name === '' ? '' : `:${port.name}`}`,
    protocol,
    clusterIp,
    port: port.port,
    outside: outsideOf(service),
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter(isRange),
    affinitySeconds: affinityOf(service),
    endpoints: endpointsOf(own, {
      wanted: { name: port.name, protocol },
      isReadyEnough: spec.publishNotReadyAddresses === true,
      skipped,
    }),
  };
}

function outsideOf({ spec, status }: Service): readonly string[] {
  const ingress = (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return [...new Set([...(spec.externalIPs ?? []), ...ingress])].filter((ip) => isIPv4(ip));
}

function affinityOf({ spec }: Service): number | undefined {
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return spec.sessionAffinity === 'ClientIP' && isSeconds(seconds) ? seconds : undefined;
}

function endpointsOf(
  own: Endpoints | undefined,
  {
    wanted,
    isReadyEnough,
    skipped,
  }: {
    readonly wanted: { readonly name: string; readonly protocol: string };
    /** Whether those that are not ready count too. */
    readonly isReadyEnough: boolean;
    readonly skipped: Set<string>;
  },
): readonly string[] {
  const found = new Set<string>();
  for (const { addresses, notReadyAddresses, ports } of own?.subsets ?? []) {
    const all = [...(addresses ?? []), ...(isReadyEnough ? (notReadyAddresses ?? []) : [])].map(({ ip }) => ip);
    const usable = all.filter(isAddress);
    for (const { name, protocol, port } of ports ?? []) {
      if (name !== wanted.name || protocol.toLowerCase() !== wanted.protocol) continue;
      if (!isPort(port)) skipped.add(`port ${port}`);
      else for (const ip of usable) found.add(`${ip}:${port}`);
    }
    for (const ip of all) if (!isAddress(ip)) skipped.add(`address ${ip}`);
  }
  return [...found].toSorted();
}

const isAddress = (text: string): boolean => isIPv4(text) && text !== '0.0.0.0';
const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
const isSeconds = (seconds: number): boolean => Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400;

function isRange(text: string): boolean {
  const match = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  return isIPv4(match?.[1] ?? '');
}

function shortened(parts: readonly string[]): string {
  const first = parts.slice(0, 5).map((part) => JSON.stringify(part.slice(0, 60)));
  return parts.length > first.length ? `${first.join(', ')} and ${parts.length - first.length} more` : first.join(', ');
}
