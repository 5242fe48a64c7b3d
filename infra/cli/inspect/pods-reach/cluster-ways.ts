import { failed, good, skipped, warned } from '../check.ts';
import { valueOf } from '../observed.ts';
import { follows, hop, isFailed, untried } from './hops.ts';
import type { Judged, Judgement } from './hops.ts';
import { serverFix } from './server-ways.ts';

/** Why nothing of the cluster is reached. */
export const noSubnet = 'Pods are in no subnet (ACI_SUBNET_ID), so they reach nothing inside the cluster.';

/** Whether ACI's kube-proxy brings a pod to a ClusterIP. */
export function judgeClusterIps(judged: Judged): Judgement {
  const { facts, of } = judged;
  const name = of('ClusterIPs');
  const found = hop(judged, 'service');
  if (!facts.hasSubnet) return skipped(name, noSubnet);
  if (facts.services === undefined)
    return skipped(name, 'The cluster is registered without services: pods are not meant to reach ClusterIPs.');
  if (facts.service === undefined)
    return skipped(name, 'It was not tried: the address of the Service kubernetes is unknown.');
  if (found.verdict === 'skipped') return untried(name, found);
  const where = facts.service;
  if (found.verdict === 'ok') return good(name, `${where} is reached, the Service kubernetes.`);
  const sentence = `${where}, the Service kubernetes, takes no connection: ${found.detail}`;
  // By its name it may only be that nobody resolves it without ClusterIPs.
  if (isFailed(judged, 'api') && !isFailed(judged, 'api-name') && facts.apiServer !== undefined)
    return follows(name, sentence, "the API server, which ACI's kube-proxy reads");
  const missing = valueOf(facts.missingRights) ?? [];
  if (missing.length > 0)
    return failed(
      name,
      `${sentence}; the account of ACI's kube-proxy may not ${missing.join(', ')}.`,
      'Attach again: it upgrades the chart, which has the rights of that account.',
    );
  const isServerSilent = isFailed(judged, 'api') && facts.apiServer !== undefined;
  return failed(
    name,
    `${sentence}; ACI's kube-proxy, which routes it, does not work in the group.`,
    `${isServerSilent ? `It reads the API server, which the pod does not reach either. ${serverFix(facts)} If that is not it: attach again,` : 'Attach again,'} which sees to the credential, and make the pods anew: a group keeps the one it was made with. Does the group's kube-proxy reach the API server, and is ${facts.services.clusterCidr} the range of the cluster's pods? With an address of the API server in place of its name (attach --api-server-for-pods IP) it needs no name. az container show lists the extensions of a group.`,
  );
}

/** Whether the addresses of the cluster's pods are routed from the subnet. */
export function judgeAddresses(judged: Judged): Judgement {
  const { facts, of } = judged;
  const name = of('addresses of pods');
  const found = hop(judged, 'pod');
  if (!facts.hasSubnet) return skipped(name, noSubnet);
  if (facts.pod === undefined) return skipped(name, "It was not tried: no ready pod of the cluster's DNS is known.");
  if (found.verdict === 'skipped') return untried(name, found);
  const where = `${facts.pod}, a pod of the cluster's DNS,`;
  if (found.verdict === 'ok') return good(name, `${where} is reached.`);
  const sentence = `${where} takes no connection: ${found.detail}`;
  const isNeeded = facts.services !== undefined || facts.dns?.viaServices === true;
  const aks = valueOf(facts.aks);
  if (aks?.hidesPods === true) {
    const why = `${sentence}; in the overlay network of ${aks.name} nobody outside has a route to pods`;
    if (!isNeeded) return skipped(name, `${why}, and nothing registered needs one.`);
    return failed(
      name,
      `${why}.`,
      "Neither pods nor ClusterIPs can be reached from there: give the cluster's DNS and the Services that pods use internal load balancers, and attach again with --dns ADDRESS and --services off.",
    );
  }
  const fix = `See the peering of the two networks, the security group and the route table of both subnets (TCP and UDP 53).${aks === undefined ? ' In an overlay network (kubenet, Azure CNI Overlay) nobody outside has a route to pods: then internal load balancers are the way.' : ''}`;
  return (isNeeded ? failed : warned)(name, `${sentence}.`, fix);
}
