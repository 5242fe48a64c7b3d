import { failed, good, skipped, warned } from '../check.ts';
import { valueOf } from '../observed.ts';
import { noSubnet } from './cluster-ways.ts';
import { follows, hop, isBroken, resolversOf, untried } from './hops.ts';
import type { Judged, Judgement } from './hops.ts';
import { wasSilent } from './report.ts';
import type { Hop } from './report.ts';

const noDns = "The cluster is registered without dns: pods ask Azure's resolver, which knows no names of the cluster.";

/** Whether the cluster's name servers take a connection. */
export function judgeNameServers(
  judged: Judged,
  { clusterIps, addresses }: { readonly clusterIps: Judgement; readonly addresses: Judgement },
): Judgement {
  const { facts, of } = judged;
  const name = of('name servers');
  if (!facts.hasSubnet) return skipped(name, noSubnet);
  if (facts.dns === undefined) return skipped(name, noDns);
  const { nameServers, viaServices } = facts.dns;
  const serverHop = (server: string): Hop => hop(judged, `server/${server}`);
  const lost = nameServers.filter((server) => serverHop(server).verdict === 'failed');
  const all = nameServers.map((server) => `${server}:53`).join(', ');
  if (lost.length === 0) {
    const skippedHop = nameServers.map(serverHop).find(({ verdict }) => verdict === 'skipped');
    return skippedHop === undefined ? good(name, `${all} take connections.`) : untried(name, skippedHop);
  }
  const where = lost.map((server) => `${server}:53`).join(', ');
  const sentence = `${where} takes no connection: ${serverHop(lost[0] ?? '').detail}`;
  if (lost.length < nameServers.length)
    return warned(name, `${sentence}; of ${all} the others do.`, 'Attach again with --dns, naming those that answer.');
  if (valueOf(facts.dnsPods) === 0)
    return failed(
      name,
      `${sentence}; no pod of the cluster's DNS is ready.`,
      'See why: kubectl get pods -n kube-system -l k8s-app=kube-dns',
    );
  if (viaServices) return judgeServicesWay(name, sentence, { clusterIps, addresses });
  return failed(
    name,
    `${sentence}.`,
    'See whether that address is still the one of the load balancer (kubectl get services -n kube-system), that its backends are ready, that the network routes it, and that no security group denies TCP and UDP 53.',
  );
}

function judgeServicesWay(
  name: string,
  sentence: string,
  { clusterIps, addresses }: { readonly clusterIps: Judgement; readonly addresses: Judgement },
): Judgement {
  if (isBroken(clusterIps)) return follows(name, sentence, 'ClusterIPs');
  if (isBroken(addresses)) return follows(name, sentence, 'the addresses of pods');
  return failed(
    name,
    `${sentence}${clusterIps.verdict === 'ok' ? ', though another ClusterIP does' : ''}.`,
    "See that the address is the ClusterIP of the cluster's DNS (kubectl get services -n kube-system), that no security group and no NetworkPolicy denies TCP and UDP 53 from the pods' subnet; then attach again.",
  );
}

/** Whether a name of the cluster is resolved. */
export function judgeClusterNames(judged: Judged, servers: Judgement): Judgement {
  const { facts, of } = judged;
  const name = of('names of the cluster');
  if (!facts.hasSubnet) return skipped(name, noSubnet);
  if (facts.dns === undefined) return skipped(name, noDns);
  const { nameServers, domain } = facts.dns;
  const asked = `kubernetes.default.svc.${domain}`;
  const found = hop(judged, 'cluster-name');
  if (found.verdict === 'ok') return good(name, `${asked} is ${found.detail}.`);
  if (found.verdict === 'skipped') return untried(name, found);
  const resolvers = resolversOf(judged);
  if (!nameServers.some((server) => resolvers.includes(server)))
    return failed(
      name,
      `${asked} is not resolved: the pod asks ${resolvers.join(', ') || 'nobody'}, not ${nameServers.join(', ')}.`,
      'An app of another release may have made the group, or the registration is younger than it: attach again, and see the release that doctor reports.',
    );
  if (isBroken(servers)) return follows(name, `${asked} is not resolved`, 'the name servers');
  if (wasSilent(found))
    return failed(
      name,
      `${asked} is asked for by UDP and nobody answers (${found.detail})${servers.verdict === 'ok' ? ', though the name servers take connections by TCP' : ''}.`,
      "Let UDP 53 pass from the pods' subnet to the cluster: security groups, NetworkPolicies of kube-system, firewalls.",
    );
  return failed(
    name,
    `${asked} does not exist, says ${resolvers.join(', ')}.`,
    `The cluster's domain may be another than ${domain} (kubectl get configmap coredns -n kube-system -o yaml, the line "kubernetes"), or that address is no name server of this cluster: attach again with --dns.`,
  );
}

/** Whether a name of the Internet is resolved. */
export function judgeOutsideNames(
  judged: Judged,
  { servers, names }: { readonly servers: Judgement; readonly names: Judgement },
): Judgement {
  const { facts, of } = judged;
  const name = of('names outside');
  const { outside } = facts;
  const found = hop(judged, 'outside-name');
  if (found.verdict === 'ok') return good(name, `${outside} is ${found.detail}.`);
  if (found.verdict === 'skipped') return untried(name, found);
  const sentence = `${outside} is not resolved, ${found.detail}`;
  if (facts.hasSubnet && facts.dns !== undefined) {
    if (isBroken(servers)) return follows(name, sentence, 'the name servers');
    if (isBroken(names)) return follows(name, sentence, 'the names of the cluster');
    return failed(
      name,
      `${sentence}${names.verdict === 'ok' ? '; names of the cluster are' : ''}.`,
      "The cluster's DNS forwards nowhere that knows it: see forward in the ConfigMap coredns of kube-system, and the DNS servers of the nodes' network.",
    );
  }
  const asked = resolversOf(judged).join(', ') || 'nobody';
  return failed(
    name,
    `${sentence}; the pod asks ${asked}.`,
    "See the DNS servers of the pods' virtual network, whether they answer and know names of the Internet; or name another host with --outside.",
  );
}
