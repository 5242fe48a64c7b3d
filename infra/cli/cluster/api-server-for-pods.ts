import type { ClusterRegistration } from '../../../shared/wire/settings.ts';

/** As a registration has it; undefined: nothing is known that pods could reach. */
export type ApiServerForPods = NonNullable<ClusterRegistration['apiServerForPods']>;

export interface PodsWayInput {
  /** By the option. */
  readonly wanted: ApiServerForPods | undefined;
  /** As the cluster is registered already. */
  readonly registered: ApiServerForPods | undefined;
  /** The API server's FQDN, where it is an AKS cluster that az reported. */
  readonly aksHost: string | undefined;
  /** Where the app reaches it. */
  readonly server: string;
}

/**
 * Where pods reach the API server. Not by the `kubernetes` Service, as on a VM: a container group's subnet does not
 * route ClusterIPs. What an operator said outlasts what can be found out; of AKS the FQDN is in the certificate; of
 * another cluster the name by which the app verifies it, unless that is this machine's own or means something else
 * behind a path. Pure.
 */
export function chooseApiServerForPods({
  wanted,
  registered,
  aksHost,
  server,
}: PodsWayInput): ApiServerForPods | undefined {
  if (wanted !== undefined) return wanted;
  if (registered !== undefined) return registered;
  return aksHost === undefined ? hostOfServer(server) : { host: aksHost, port: 443 };
}

function hostOfServer(server: string): ApiServerForPods | undefined {
  if (!URL.canParse(server)) return undefined;
  const { hostname, port, pathname } = new URL(server);
  const host = hostname.replaceAll(/[[\]]/g, '');
  if (isOwnHost(host) || pathname !== '/') return undefined;
  return { host, port: port === '' ? 443 : Number(port) };
}

/** Names and addresses by which every machine means itself. */
export const isOwnHost = (host: string): boolean =>
  /^(127\.\d+\.\d+\.\d+|0\.0\.0\.0|::1?|(.+\.)?localhost)$/i.test(host);

/** One line for whoever attaches. `services`: whether pods reach ClusterIPs. */
export function describeApiServerForPods(way: ApiServerForPods | undefined, services: boolean): string {
  if (services && typeof way !== 'object')
    return 'pods get the address of the Service kubernetes for the API server, and reach it as any other Service';
  if (way === undefined)
    return 'where pods reach the API server is not known: they get the address of the Service kubernetes, which container groups do not reach; give one with --api-server-for-pods HOST[:PORT]';
  if (way === 'service') return 'pods get the address of the Service kubernetes for the API server, as wanted';
  return `pods reach the API server at ${way.host.includes(':') ? `[${way.host}]` : way.host}:${way.port}`;
}
