import { isIP } from 'node:net';
import type { ReachFacts, ReachReports } from '../../../../../infra/cli/inspect/pods-reach/facts.ts';
import { parseReachReport } from '../../../../../infra/cli/inspect/pods-reach/report.ts';
import { read, unreadable } from '../../../../../infra/cli/inspect/observed.ts';

/** Flat addresses, the cluster's DNS by its ClusterIP, ACI's kube-proxy, a public API server by its name. */
export const flat: ReachFacts = {
  hasSubnet: true,
  dns: { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true },
  services: { clusterCidr: '10.244.0.0/16', credential: 'services-a' },
  apiServer: { host: 'api.example', port: 443 },
  service: '10.0.0.1:443',
  pod: '10.244.0.5:53',
  outside: 'app.example',
  dnsPods: read(2),
  missingRights: read([]),
  aks: unreadable('not asked'),
  wayOut: { kind: 'unknown' },
};

/** By name servers that are no ClusterIPs. */
export const direct: ReachFacts = {
  ...flat,
  dns: { nameServers: ['10.1.0.10', '10.1.0.11'], domain: 'cluster.local', viaServices: false },
  services: undefined,
};

export const allHops = (facts: ReachFacts): Readonly<Record<string, string>> => ({
  ...Object.fromEntries((facts.dns?.nameServers ?? []).map((server) => [`server/${server}`, 'ok'])),
  ...(facts.dns === undefined ? {} : { 'cluster-name': 'ok 10.0.0.1' }),
  'outside-name': 'ok 20.0.0.1',
  ...(facts.apiServer !== undefined && isIP(facts.apiServer.host) === 0 && { 'api-name': 'ok 20.0.0.2' }),
  api: 'ok',
  outside: 'ok',
  ...(facts.service === undefined ? {} : { service: 'ok' }),
  ...(facts.pod === undefined ? {} : { pod: 'ok' }),
});

export interface Broken {
  readonly hops: Readonly<Record<string, string>>;
  readonly resolvers?: string;
}

/** The log of a container in which these hops are otherwise. */
export function logOf(facts: ReachFacts, { hops, resolvers }: Broken): string {
  const servers = resolvers ?? facts.dns?.nameServers.join(' ') ?? '168.63.129.16';
  const lines = Object.entries({ ...allHops(facts), ...hops }).map(([hop, said]) => `sk-reach ${hop} ${said}`);
  return [`sk-reach resolver ok ${servers}`, ...lines, 'sk-reach end ok', ''].join('\n');
}

export const reportsOf = (
  facts: ReachFacts,
  { init, musl, glibc }: { readonly init?: Broken; readonly musl?: Broken; readonly glibc?: Broken },
): ReachReports => {
  const report = (broken: Broken = { hops: {} }) => read(parseReachReport(logOf(facts, broken)));
  return { init: report(init), musl: report(musl), glibc: report(glibc) };
};

/** The same in all three. */
export const everywhere = (facts: ReachFacts, hops: Broken['hops'], resolvers?: string): ReachReports => {
  const broken: Broken = { hops, ...(resolvers !== undefined && { resolvers }) };
  return reportsOf(facts, { init: broken, musl: broken, glibc: broken });
};
