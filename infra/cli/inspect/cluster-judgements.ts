import { ourVersionIn } from '../../../shared/core/node/node-spec.ts';
import { valueOf } from './observed.ts';
import type { Part } from './observed.ts';
import { failed, good, skipped, warned } from './check.ts';
import type { Check } from './check.ts';

/** How far the way to an API server could be gone from here, and what came at its end. */
export type ReachFacts =
  | { readonly at: 'dns' | 'tcp' | 'tls' | 'http'; readonly reason: string }
  | { readonly at: 'answered'; readonly status: number };

const fromHere = 'If the cluster is private, run doctor from its network; the app needs VNet integration to reach it.';

export function judgeReach(name: string, host: string, facts: ReachFacts): Check {
  switch (facts.at) {
    case 'dns':
      return failed(
        name,
        `DNS does not know ${host}: ${facts.reason}.`,
        `Check the registration's server. ${fromHere}`,
      );
    case 'tcp':
      return failed(
        name,
        `${host} takes no connection: ${facts.reason}.`,
        `See whether the cluster runs and its authorized IP ranges let you in. ${fromHere}`,
      );
    case 'tls':
      return failed(
        name,
        `The certificate of ${host} is not trusted: ${facts.reason}.`,
        "The registration's certificateAuthority is not the cluster's: attach it again.",
      );
    case 'http':
      return failed(
        name,
        `${host} gave no answer: ${facts.reason}.`,
        `Something between drops the connection, such as a proxy. ${fromHere}`,
      );
    case 'answered':
      break;
  }
  if (facts.status < 500) return good(name, `${host} is reached: DNS, TCP and TLS are right.`);
  return failed(name, `${host} answers ${String(facts.status)}.`, 'The API server is not healthy: see the cluster.');
}

const oldestMinor = 30;
const newestMinor = 36;

/** Of `/version`, beside what the registration says. */
export function judgeVersion(name: string, live: Part<string>, registered: string): Check {
  const version = valueOf(live);
  if (version === undefined) return skipped(name, live.kind === 'unreadable' ? live.reason : 'unknown');
  const [, minor] = /^v1\.(\d+)\./.exec(version) ?? [];
  if (minor === undefined) return warned(name, `The API server says it is ${version}.`, 'Expected is v1.MINOR.PATCH.');
  if (Number(minor) < oldestMinor)
    return failed(
      name,
      `The API server is ${version}.`,
      `At least v1.${String(oldestMinor)} is needed: upgrade the cluster.`,
    );
  if (Number(minor) > newestMinor)
    return warned(
      name,
      `The API server is ${version}.`,
      `Tested up to v1.${String(newestMinor)}: see whether there is a newer release.`,
    );
  const [, reported] = /^v1\.(\d+)\./.exec(registered) ?? [];
  if (reported !== minor)
    return warned(
      name,
      `The API server is ${version}, registered is ${registered}.`,
      'Attach again, so that the node reports the right version.',
    );
  return good(name, `The API server is ${version}.`);
}

export function judgeClusterUid(name: string, live: Part<string>, registered: string): Check {
  const uid = valueOf(live);
  if (uid === undefined) return skipped(name, live.kind === 'unreadable' ? live.reason : 'unknown');
  if (uid === registered) return good(name, `It is the cluster that was attached (${uid}).`);
  return failed(
    name,
    `It is another cluster (${uid}) than the one that was attached (${registered}).`,
    `If it was rebuilt: serverless-kubelet detach --force --cluster ${registered}, then attach. If the kubeconfig leads elsewhere: --context.`,
  );
}

/** One right that was asked about, as a person reads it. */
export interface RightFacts {
  /** `impersonate users system:node:aci-1`. */
  readonly right: string;
  readonly allowed: boolean;
}

export function judgeRights(name: string, who: string, rights: Part<readonly RightFacts[]>): Check {
  if (rights.kind === 'unreadable') return skipped(name, rights.reason);
  const missing = rights.value.filter(({ allowed }) => !allowed);
  if (missing.length === 0) return good(name, `${who} has its ${String(rights.value.length)} rights.`);
  return failed(
    name,
    `${who} may not ${missing.map(({ right }) => right).join(', ')}.`,
    'Attach again (it upgrades the chart); if the app has another identity now, the chart must name it in app.principal.',
  );
}

/** Of the relay's Deployment, its leader Lease and its Service. */
export interface RelayFacts {
  readonly deployment: Part<DeploymentFacts | undefined>;
  readonly leader: Part<LeaderFacts | undefined>;
  readonly service: Part<ServiceFacts | undefined>;
}

export interface DeploymentFacts {
  readonly replicas: number;
  readonly ready: number;
  readonly available: number;
  /** Label helm.sh/chart. */
  readonly chart: string;
}

export interface LeaderFacts {
  readonly holder: string;
  readonly ageSeconds?: number;
}

export interface ServiceFacts {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
}

export function judgeRelay(name: string, deployment: RelayFacts['deployment'], namespace: string): Check {
  if (deployment.kind === 'unreadable') return skipped(name, deployment.reason);
  if (deployment.value === undefined)
    return failed(name, `There is no Deployment relay in ${namespace}.`, 'Attach again: it installs the chart.');
  const { ready, replicas } = deployment.value;
  const found = `${String(ready)} of ${String(replicas)} relays are ready.`;
  if (ready === 0)
    return failed(
      name,
      found,
      `Logs, exec and fast starts need it: kubectl --namespace ${namespace} describe pods shows why.`,
    );
  if (ready < replicas) return warned(name, found, `kubectl --namespace ${namespace} describe pods shows why.`);
  return good(name, found);
}

/** The relay renews its own Lease every few seconds. */
const leaderLateSeconds = 60;

export function judgeLeader(name: string, leader: RelayFacts['leader'], namespace: string): Check {
  if (leader.kind === 'unreadable') return skipped(name, leader.reason);
  const fix = `Without a leader nobody informs the app of new pods at once: kubectl --namespace ${namespace} logs deployment/relay.`;
  if (leader.value === undefined)
    return failed(name, `There is no Lease relay in ${namespace}.`, 'Attach again: it installs the chart.');
  const { holder, ageSeconds } = leader.value;
  if (holder === '') return failed(name, 'No relay leads.', fix);
  if (ageSeconds !== undefined && ageSeconds > leaderLateSeconds)
    return failed(name, `${holder} led, and has not renewed for ${String(ageSeconds)} seconds.`, fix);
  return good(name, `${holder} leads.`);
}

/** It calls at every tick of a node, and at least once a minute. */
const silentSeconds = 120;

/** A relay that runs outside of the cluster, by its calls: the ages of the last one, for each node. */
export function judgeHeard(name: string, ages: Part<readonly (number | undefined)[]>): Check {
  if (ages.kind === 'unreadable') return skipped(name, ages.reason);
  const known = ages.value.filter((age) => age !== undefined);
  const fix = 'It runs outside of the cluster: see that it does, and its log.';
  if (known.length < ages.value.length) return failed(name, 'The app has not heard of it yet.', fix);
  const oldest = Math.max(0, ...known);
  const found = `It runs outside of the cluster, and called ${String(oldest)} s ago.`;
  return oldest > silentSeconds ? failed(name, found, fix) : good(name, found);
}

/** Whether the API server is led from the Node's address to the relay's Service. */
export function judgeAddress(
  name: string,
  service: RelayFacts['service'],
  node: { readonly address: string; readonly port: number },
): Check {
  if (service.kind === 'unreadable') return skipped(name, service.reason);
  if (service.value === undefined)
    return failed(name, 'There is no Service relay.', 'Attach again: it installs the chart.');
  const { addresses, ports } = service.value;
  const where = `${node.address}:${String(node.port)}`;
  if (!ports.includes(node.port))
    return failed(
      name,
      `The node is registered at port ${String(node.port)}, and the Service has ${ports.join(', ')}.`,
      'Attach again: chart and registration must name the same ports.',
    );
  if (addresses.includes(node.address)) return good(name, `The Service is at ${where}, as registered.`);
  return warned(
    name,
    `The node is registered at ${where}, and the Service is at ${addresses.length === 0 ? 'no address' : addresses.join(', ')}.`,
    'Attach again, unless the address was given by hand because no kube-proxy runs.',
  );
}

/** The chart's version, by its label on the Deployment; undefined where there is none. */
export const chartVersion = (deployment: Pick<DeploymentFacts, 'chart'> | undefined): string | undefined =>
  deployment === undefined || deployment.chart === ''
    ? undefined
    : deployment.chart.replace(/^serverless-kubelet-/, '');

/** Of the release that a Node reports, beside that of this program. */
export function judgeRelease(name: string, reported: string, version: string): Check {
  const app = ourVersionIn(reported);
  if (app === undefined) return skipped(name, `The Node reports ${reported}, which reports no release.`);
  if (app === version) return good(name, `App and this program are of release ${version}.`);
  return warned(
    name,
    `The app is of release ${app}, this program of ${version}.`,
    "Use the program of the app's release, or publish the app of the newer one first (docs/deploy.md, Upgrade).",
  );
}

export function judgeChart(name: string, deployment: RelayFacts['deployment'], version: string): Check {
  const installed = chartVersion(valueOf(deployment));
  if (installed === undefined) return skipped(name, 'The relay reports no chart.');
  return installed === version
    ? good(name, `Chart and this program are ${version}.`)
    : warned(
        name,
        `The chart is ${installed}, this program is ${version}.`,
        'Attach again with the newer of both: it upgrades the chart.',
      );
}

/** Resources of `admissionregistration.k8s.io`, by version. */
export function judgeAdmission(name: string, versions: Part<Readonly<Record<string, readonly string[]>>>): Check {
  if (versions.kind === 'unreadable') return skipped(name, versions.reason);
  const having = (resource: string): readonly string[] =>
    Object.entries(versions.value).flatMap(([version, resources]) => (resources.includes(resource) ? [version] : []));
  const mutating = having('mutatingadmissionpolicies');
  const validating = having('validatingadmissionpolicies');
  if (validating.length === 0)
    return warned(
      name,
      'The cluster has no ValidatingAdmissionPolicy.',
      'Warnings at kubectl apply need Kubernetes 1.30.',
    );
  if (mutating.length === 0)
    return warned(
      name,
      `ValidatingAdmissionPolicy is ${validating.join(', ')}; there is no MutatingAdmissionPolicy.`,
      'Opt-in by label needs Kubernetes 1.36, or 1.34 with the beta API turned on; until then pods name the toleration and the node themselves.',
    );
  return good(
    name,
    `ValidatingAdmissionPolicy is ${validating.join(', ')}, MutatingAdmissionPolicy ${mutating.join(', ')}.`,
  );
}

/** What the API server was answered by the relay when it was asked through the Node. */
export function judgeKubeletPort(name: string, answer: Part<string>): Check {
  if (answer.kind === 'read') return good(name, 'The API server reaches the kubelet port: logs work.');
  if (/Forbidden|forbidden|may not|cannot get resource/.test(answer.reason)) return skipped(name, answer.reason);
  // Its proxy goes to no loopback address, such as that of a cloud on one machine; kubectl logs takes another way.
  if (/address not allowed/.test(answer.reason))
    return skipped(
      name,
      "The Node's address is a loopback one, to which the API server proxies nothing; kubectl logs says.",
    );
  return failed(
    name,
    `The API server does not reach the kubelet port: ${answer.reason}`,
    "kubectl logs needs this: see the node's address, the Service relay and its endpoints, NetworkPolicies, and on AKS the konnectivity agents.",
  );
}
