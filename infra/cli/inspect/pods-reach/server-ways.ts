import { isIP } from 'node:net';
import { failed, good } from '../check.ts';
import { valueOf } from '../observed.ts';
import { isPrivateAddress } from '../ipv4-match.ts';
import type { ReachFacts } from './facts.ts';
import { follows, hop, isBroken, untried } from './hops.ts';
import type { Judged, Judgement } from './hops.ts';

/** Whether the subnet has a way to the Internet. */
export function judgeEgress(judged: Judged, outsideNames: Judgement): Judgement {
  const { facts, of } = judged;
  const name = of('the way out');
  const found = hop(judged, 'outside');
  const where = `${facts.outside}:443`;
  if (found.verdict === 'ok') return good(name, `${where} is reached.`);
  if (found.verdict === 'skipped') return untried(name, found);
  const sentence = `${where} takes no connection: ${found.detail}`;
  if (isBroken(outsideNames)) return follows(name, sentence, 'names outside');
  return failed(name, `${sentence}${outsideNames.verdict === 'ok' ? '; its name is resolved' : ''}.`, egressFix(facts));
}

function egressFix({ hasSubnet, wayOut, outside }: ReachFacts): string {
  if (!hasSubnet) return `Without a subnet groups have a way of their own: see whether ${outside} is up.`;
  switch (wayOut.kind) {
    case 'none':
      return 'The subnet has no NAT gateway and no other way: az network nat gateway create, then az network vnet subnet update --ids … --nat-gateway …';
    case 'appliance':
      return `Its route table sends everything to ${wayOut.address}: let that firewall pass 443 from the subnet, and see its way back.`;
    case 'default':
      return 'The subnet has no NAT gateway, and Azure gives new subnets no way out by default: az network nat gateway create, then az network vnet subnet update --ids … --nat-gateway …';
    case 'nat':
      return `The subnet has a NAT gateway: see its security group for a rule that denies 443, and whether ${outside} lets its address in.`;
    case 'unknown':
      return 'Give the subnet a NAT gateway, and see its route table and its security group.';
  }
}

/** Whether the API server's name is known where pods ask; undefined: pods have an address of it. */
export function judgeApiName(
  judged: Judged,
  { servers, outsideNames }: { readonly servers: Judgement; readonly outsideNames: Judgement },
): Judgement | undefined {
  const { facts, of } = judged;
  const { apiServer, dns } = facts;
  if (apiServer === undefined || isIP(apiServer.host) !== 0) return undefined;
  const name = of("API server's name");
  const found = hop(judged, 'api-name');
  if (found.verdict === 'ok') return good(name, `${apiServer.host} is ${found.detail}.`);
  if (found.verdict === 'skipped') return untried(name, found);
  const sentence = `${apiServer.host} is not resolved, ${found.detail}`;
  const asksCluster = facts.hasSubnet && dns !== undefined;
  if (asksCluster && isBroken(servers)) return follows(name, sentence, 'the name servers');
  if (isBroken(outsideNames)) return follows(name, sentence, 'names outside');
  return failed(
    name,
    `${sentence}${outsideNames.verdict === 'ok' ? '; other names are' : ''}.`,
    nameFix(facts, asksCluster),
  );
}

function nameFix({ aks }: ReachFacts, asksCluster: boolean): string {
  if (valueOf(aks)?.isPrivate === false)
    return 'It is no private cluster: was it deleted or built anew? Then attach again.';
  const whose = asksCluster
    ? "the network of the cluster's nodes, whose DNS the cluster's DNS asks"
    : "the pods' network, and to that of its DNS servers";
  return `Of a private cluster link its private DNS zone to ${whose}; or attach again with --api-server-for-pods HOST[:PORT].`;
}

interface ServerNeeds {
  readonly apiName: Judgement | undefined;
  readonly clusterIps: Judgement;
  readonly egress: Judgement;
}

/** Whether pods reach the API server at the address that they are given. */
export function judgeApiServer(judged: Judged, { apiName, clusterIps, egress }: ServerNeeds): Judgement {
  const { facts, of } = judged;
  const name = of('API server');
  const found = hop(judged, 'api');
  const { apiServer } = facts;
  const where = describeServer(apiServer);
  if (found.verdict === 'ok') return good(name, `${where} is reached.`);
  if (found.verdict === 'skipped') return untried(name, found);
  const sentence = `${where} takes no connection: ${found.detail}`;
  if (apiServer === undefined) {
    if (isBroken(clusterIps)) return follows(name, sentence, 'ClusterIPs');
    return failed(name, `${sentence}.`, 'Attach again with --api-server-for-pods HOST[:PORT].');
  }
  if (apiName !== undefined && isBroken(apiName)) return follows(name, sentence, 'its name');
  const address = apiName === undefined ? apiServer.host : hop(judged, 'api-name').detail;
  // Only where the way out is itself the cause: what it follows from may follow from the API server.
  if (isOutside(facts, address) && egress.verdict === 'failed') return follows(name, sentence, 'the way out');
  return failed(name, `${sentence}.`, serverFix(facts));
}

const describeServer = (server: ReachFacts['apiServer']): string =>
  server === undefined ? 'The ClusterIP of the API server' : `${server.host}:${server.port}`;

/** Whether packets to it leave the network, as far as its address or Azure says. */
const isOutside = ({ aks }: ReachFacts, address: string): boolean =>
  valueOf(aks)?.isPrivate !== true && !isPrivateAddress(address);

/** What keeps a pod from the API server, by what Azure shows. */
export function serverFix({ aks }: ReachFacts): string {
  const seen = valueOf(aks);
  if (seen?.isPrivate === true)
    return "The cluster is private: peer the pods' network with that of its private endpoint, and see that no security group or route table keeps 443 from it.";
  if (seen !== undefined && seen.authorizedRanges.length > 0)
    return `Let the egress address of the pods' subnet into the authorized ranges: az aks update --name ${seen.name} --resource-group … --api-server-authorized-ip-ranges ${seen.authorizedRanges.join(',')},ADDRESS`;
  return "See the authorized IP ranges of the API server (the egress address of the pods' subnet must be in them), of a private cluster the way to its private endpoint, and the subnet's security group and route table.";
}
