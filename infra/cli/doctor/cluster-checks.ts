import { parseNamespaceUid } from '../../../shared/wire/kubernetes/namespace.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import type { StateStore } from '../../../shared/ports/state-store.ts';
import type { ClusterRegistration, NodeRegistration } from '../../../shared/wire/settings.ts';
import type { ApiAnswer } from '../cluster/api.ts';
import type { ClusterFault } from '../cluster/cluster-fault.ts';
import { nodeLeasePath } from '../cluster/objects.ts';
import {
  parseLeaseSeen,
  parseNodeSeen,
  parseResources,
  parseVersion,
  parseVersions,
} from '../inspect/cluster-objects.ts';
import type { ClusterReader, ServerAnswer } from '../inspect/cluster-reader.ts';
import { unreadableBy } from '../inspect/fault-reason.ts';
import { leaseFindings } from '../inspect/lease-findings.ts';
import { nodeObjectFindings } from '../inspect/node-object-findings.ts';
import { judgeSessionDial, parseRunningContainer } from '../inspect/session-dial.ts';
import { read, unreadable } from '../inspect/observed.ts';
import type { Finding, NodeObserved, Part } from '../inspect/observed.ts';
import type { ReportCheck } from './azure-checks.ts';
import { checkReachOfPods } from './reach-checks.ts';
import { judgeReviews } from './review-checks.ts';
import { failed, good, skipped, warned } from '../inspect/check.ts';
import type { Check } from '../inspect/check.ts';
import { rightReviews } from '../inspect/app-rights.ts';
import type { Subject } from '../inspect/app-rights.ts';
import { parseDeployment, parseLeader, parseService } from '../inspect/relay-objects.ts';
import {
  judgeAddress,
  judgeAdmission,
  judgeChart,
  judgeClusterUid,
  judgeHeard,
  judgeKubeletPort,
  judgeLeader,
  judgeRelay,
  judgeRelease,
  judgeVersion,
} from '../inspect/cluster-judgements.ts';
import type { RelayFacts } from '../inspect/cluster-judgements.ts';

/** What one cluster is checked with. */
export interface ClusterCheckSources {
  readonly cluster: ClusterRegistration;
  readonly installation: string;
  /** Who the app is toward it; undefined: unknown. */
  readonly subject: Subject | undefined;
  readonly reader: ClusterReader;
  /** POST with the same context. */
  readonly create: (path: string, body: object) => Promise<ApiAnswer | ClusterFault>;
  readonly version: string;
  /** All groups of the resource group. */
  readonly groups: () => Promise<Part<readonly ListedGroup[]>>;
  /** Where the relay runs. `outside`: only the tables report it. */
  readonly relay: { readonly kind: 'cluster' } | { readonly kind: 'outside'; readonly store: StateStore };
}

/** All that the API server reports one cluster. Answers its time, when it reported it. */
export async function checkCluster(sources: ClusterCheckSources, report: ReportCheck): Promise<number | undefined> {
  const { cluster, reader } = sources;
  const of = (check: string): string => `${cluster.name}: ${check}`;
  const home = await reader.get('/api/v1/namespaces/kube-system');
  const uid = partOf(home, ({ json }) => parseNamespaceUid(json));
  if (uid.kind === 'unreadable') {
    report(
      failed(
        of('your access'),
        uid.reason,
        'Name the right --kubeconfig and --context; the rest of this cluster is skipped.',
      ),
    );
    return undefined;
  }
  report(judgeClusterUid(of('UID'), uid, cluster.uid));
  report(
    judgeVersion(
      of('version'),
      partOf(await reader.get('/version'), ({ json }) => parseVersion(json)),
      cluster.version,
    ),
  );
  if (uid.value !== cluster.uid) return undefined;
  report(await checkRights(of("the app's rights"), sources));
  await checkRelay(sources, of, report);
  await checkReachOfPods(sources, of, report);
  report(judgeAdmission(of('admission policies'), await readAdmission(reader)));
  for (const node of cluster.nodes) await checkNode(sources, node, report);
  return home.kind === 'read' ? home.value?.serverMs : undefined;
}

/** An absent object is a reason like any other. */
function partOf<T>(answer: Part<ServerAnswer | undefined>, parse: (answer: ServerAnswer) => T | undefined): Part<T> {
  if (answer.kind === 'unreadable') return answer;
  const value = answer.value === undefined ? undefined : parse(answer.value);
  return value === undefined ? unreadable('It is not there.') : read(value);
}

/** An absent object is undefined. */
function optionalOf<T>(
  answer: Part<ServerAnswer | undefined>,
  parse: (answer: ServerAnswer) => T | undefined,
): Part<T | undefined> {
  return answer.kind === 'read' && answer.value === undefined ? read(undefined) : partOf(answer, parse);
}

async function checkRights(name: string, sources: ClusterCheckSources): Promise<Check> {
  const { cluster, subject } = sources;
  if (subject === undefined)
    return skipped(name, 'Who the app is toward this cluster is unknown; --principal-id names its identity.');
  const [namespace = ''] = cluster.relay.serviceAccount.split(':');
  const place = { nodes: cluster.nodes.map((node) => node.name), namespace, services: cluster.services !== undefined };
  return judgeReviews(name, { who: subject.user, reviews: rightReviews(place, subject) }, sources);
}

async function checkRelay(
  { cluster, reader, version, relay }: ClusterCheckSources,
  of: (check: string) => string,
  report: ReportCheck,
): Promise<void> {
  if (relay.kind === 'outside') return report(judgeHeard(of('relay'), await heardAges(cluster, relay.store)));
  const [namespace = ''] = cluster.relay.serviceAccount.split(':');
  const [deployment, leader, service] = await Promise.all([
    reader.get(`/apis/apps/v1/namespaces/${namespace}/deployments/relay`),
    reader.get(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/relay`),
    reader.get(`/api/v1/namespaces/${namespace}/services/relay`),
  ]);
  const facts: RelayFacts = {
    deployment: optionalOf(deployment, ({ json }) => parseDeployment(json)),
    leader: optionalOf(leader, ({ json, serverMs }) => parseLeader(json, serverMs)),
    service: optionalOf(service, ({ json }) => parseService(json)),
  };
  report(judgeRelay(of('relay'), facts.deployment, namespace));
  report(judgeLeader(of("relay's leader"), facts.leader, namespace));
  for (const node of cluster.nodes.filter(({ state }) => state !== 'removed'))
    report(judgeAddress(of(`address of ${node.name}`), facts.service, node));
  report(judgeChart(of('chart'), facts.deployment, version));
}

/** For each active node, how many seconds ago the relay called for it; undefined: never. */
async function heardAges(
  { uid, nodes }: ClusterRegistration,
  store: StateStore,
): Promise<Part<readonly (number | undefined)[]>> {
  const now = await store.now();
  if (!now.ok) return unreadableBy(now.fault);
  const ages: (number | undefined)[] = [];
  for (const { name } of nodes.filter(({ state }) => state !== 'removed')) {
    const row = await store.getNode({ cluster: uid, node: name });
    if (!row.ok) return unreadableBy(row.fault);
    const heardAt = row.value?.value.relayHeardAt;
    ages.push(heardAt === undefined ? undefined : Math.max(0, Math.round((now.value - heardAt) / 1000)));
  }
  return read(ages);
}

async function readAdmission(reader: ClusterReader): Promise<Part<Readonly<Record<string, readonly string[]>>>> {
  const group = '/apis/admissionregistration.k8s.io';
  const versions = partOf(await reader.get(group), ({ json }) => parseVersions(json));
  if (versions.kind === 'unreadable') return versions;
  const found = await Promise.all(
    versions.value.map(async (version) => {
      const resources = partOf(await reader.get(`${group}/${version}`), ({ json }) => parseResources(json));
      return [version, resources.kind === 'read' ? resources.value : []] as const;
    }),
  );
  return read(Object.fromEntries(found));
}

async function checkNode(sources: ClusterCheckSources, node: NodeRegistration, report: ReportCheck): Promise<void> {
  const { cluster, installation, reader } = sources;
  const subject = `${cluster.name}: node ${node.name}`;
  const nodeAnswer = await reader.get(`/api/v1/nodes/${node.name}`);
  const observed: Pick<NodeObserved, 'state' | 'node' | 'lease' | 'groups' | 'pods'> = {
    state: node.state,
    node: optionalOf(nodeAnswer, ({ json, serverMs }) => parseNodeSeen(json, serverMs)),
    lease: optionalOf(await reader.get(nodeLeasePath(node.name)), parseLeaseSeen),
    groups: unreadable('not asked'),
    pods: unreadable('not asked'),
  };
  const home = { installation, cluster: cluster.name, asked: true, subject };
  report(asCheck(subject, nodeObjectFindings(observed, home), 'It is Ready.'));
  const lease = observed.lease.kind === 'read' ? observed.lease.value : undefined;
  const moves = lease === undefined ? 'There is none, as it should be.' : `Renewed ${String(lease.ageSeconds)} s ago.`;
  report(asCheck(`${subject}: Lease`, leaseFindings(observed, subject), moves));
  if (node.state === 'removed' || observed.node.kind === 'unreadable' || observed.node.value === undefined) return;
  report(judgeRelease(`${subject}: release`, observed.node.value.version, sources.version));
  // Through the API server, as kubectl logs goes.
  const proxied = await reader.getText(`/api/v1/nodes/${node.name}/proxy/healthz`);
  report(judgeKubeletPort(`${subject}: kubelet port`, proxied));
  if (proxied.kind === 'read') await checkSessions(reader, { node: node.name, name: `${subject}: sessions` }, report);
}

/** Where ACI's exec and attach are connected to: by the relay, and by the app. */
async function checkSessions(
  reader: ClusterReader,
  { node, name }: { readonly node: string; readonly name: string },
  report: ReportCheck,
): Promise<void> {
  const selector = encodeURIComponent(`spec.nodeName=${node},status.phase=Running`);
  const pods = await reader.get(`/api/v1/pods?fieldSelector=${selector}&limit=20`);
  const found = pods.kind === 'read' ? parseRunningContainer(pods.value?.json) : undefined;
  if (found === undefined)
    return report(skipped(name, pods.kind === 'read' ? 'It needs a pod that runs on the node.' : pods.reason));
  const { namespace, pod, container } = found;
  const path = `/api/v1/nodes/${node}/proxy/sessionDial/${namespace}/${pod}/${container}`;
  for (const one of judgeSessionDial(name, await reader.getText(path))) report(one);
}

/** The first finding is the worst. */
function asCheck(name: string, findings: readonly Finding[], fine: string): Check {
  const [first] = findings;
  if (first === undefined || first.severity === 'info') return good(name, first?.sentence ?? fine);
  return (first.severity === 'error' ? failed : warned)(name, first.sentence, first.hint);
}
