import { parseNamespaceUid } from '../../../shared/wire/kubernetes/namespace.ts';
import { ownerOnNode } from '../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import type { NodeRow } from '../../../shared/core/reconcile/node-row.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import type { StateStore } from '../../../shared/ports/state-store.ts';
import type { ClusterRegistration, NodeRegistration } from '../../../shared/wire/settings.ts';
import { unreadableBy } from './fault-reason.ts';
import { nodeLeasePath } from '../cluster/objects.ts';
import { parseLeaseSeen, parseNodeSeen, parsePodsSeen } from './cluster-objects.ts';
import type { PodSeen } from './cluster-objects.ts';
import type { ClusterReader, ServerAnswer } from './cluster-reader.ts';
import { podTroubles } from './pod-troubles.ts';
import { read, unreadable, valueOf } from './observed.ts';
import type { ClusterObserved, NodeObserved, NodeRowSeen, Part } from './observed.ts';
import { groupBy } from '../group-by.ts';
import { defined } from '../../../shared/core/defined.ts';

/** What one cluster is checked with. */
export interface ClusterSources {
  readonly installation: string;
  readonly store: StateStore;
  /** All groups of the resource group. */
  readonly groups: Part<readonly ListedGroup[]>;
  readonly reader: ClusterReader;
  /** Whether the kubeconfig says that the reader asks the registered URL; otherwise another UID is just another cluster. */
  readonly leadsThere: boolean;
}

/** One cluster and its nodes. Never rejects: what cannot be read is named. */
export async function gatherCluster(cluster: ClusterRegistration, sources: ClusterSources): Promise<ClusterObserved> {
  const live = await readIdentity(cluster, sources);
  const isSame = live.kind === 'read' && live.value.uid === cluster.uid;
  const nodes = await Promise.all(
    cluster.nodes.map((node) => gatherNode({ cluster: cluster.uid, node, isSame }, sources)),
  );
  const { name, uid, server, dns, services } = cluster;
  return { name, uid, server, live, reach: defined({ dns, services }), nodes };
}

async function readIdentity(
  cluster: ClusterRegistration,
  { reader, leadsThere }: ClusterSources,
): Promise<Part<{ readonly uid: string }>> {
  const answer = await reader.get('/api/v1/namespaces/kube-system');
  if (answer.kind === 'unreadable') return answer;
  const uid = parseNamespaceUid(answer.value?.json);
  if (uid === undefined) return unreadable('The namespace kube-system could not be read.');
  if (uid === cluster.uid || leadsThere) return read({ uid });
  return unreadable(`No context of the kubeconfig leads to ${cluster.server}, and the current one is another cluster.`);
}

interface NodePlace {
  readonly cluster: string;
  readonly node: NodeRegistration;
  /** The reader asks the very cluster that was attached; another one is not asked for its nodes. */
  readonly isSame: boolean;
}

const notAsked = unreadable('The API server could not be asked.');

async function gatherNode(place: NodePlace, sources: ClusterSources): Promise<NodeObserved> {
  const { cluster, node, isSame } = place;
  const name = node.name;
  const get = async <T>(path: string, parse: (answer: ServerAnswer) => T | undefined): Promise<Part<T | undefined>> => {
    const answer: Part<ServerAnswer | undefined> = isSame ? await sources.reader.get(path) : notAsked;
    if (answer.kind === 'unreadable' || answer.value === undefined) return asAbsent(answer);
    const value = parse(answer.value);
    return value === undefined ? unreadable('The API server answered with something else.') : read(value);
  };
  const [seen, lease, pods, row, rows] = await Promise.all([
    get(`/api/v1/nodes/${name}`, ({ json, serverMs }) => parseNodeSeen(json, serverMs)),
    get(nodeLeasePath(name), parseLeaseSeen),
    get(`/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`, ({ json, serverMs }) => parsePodsSeen(json, serverMs)),
    readRow(place, sources.store),
    readRows(place, sources.store),
  ]);
  const podList = pods.kind === 'read' ? read(pods.value ?? []) : pods;
  return {
    name,
    state: node.state,
    ...defined({ zone: node.zone }),
    node: seen,
    lease,
    pods: mapPart(podList, countPhases),
    groups: mapPart(sources.groups, (groups) => countGroups(groups, sources.installation, { cluster, node: name })),
    row,
    troubles: mapPart(rows, ({ rows, now }) => podTroubles(rows, valueOf(podList) ?? [], now)),
  };
}

const asAbsent = (answer: Part<ServerAnswer | undefined>): Part<undefined> =>
  answer.kind === 'unreadable' ? answer : read(undefined);

const mapPart = <T, U>(part: Part<T>, change: (value: T) => U): Part<U> =>
  part.kind === 'read' ? read(change(part.value)) : part;

const countPhases = (pods: readonly PodSeen[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [
      ...groupBy(
        pods.toSorted((a, b) => (a.phase < b.phase ? -1 : 1)),
        ({ phase }) => phase,
      ),
    ].map(([phase, some]) => [phase, some.length]),
  );

const countGroups = (
  groups: readonly ListedGroup[],
  installation: string,
  home: { readonly cluster: string; readonly node: string },
): number => groups.filter(({ tags }) => ownerOnNode(tags, { installation, ...home }) !== undefined).length;

async function readRow({ cluster, node }: NodePlace, store: StateStore): Promise<Part<NodeRowSeen | undefined>> {
  const row = await store.getNode({ cluster, node: node.name });
  const now = await store.now();
  if (!row.ok) return unreadableBy(row.fault);
  if (!now.ok) return unreadableBy(now.fault);
  return read(row.value === undefined ? undefined : rowSeen(row.value.value, now.value));
}

function rowSeen({ resyncedAt, relayHeardAt, orphans, emptySince }: NodeRow, now: number): NodeRowSeen {
  const age = (then: number): number => Math.max(0, Math.round((now - then) / 1000));
  const since = Object.values(orphans);
  return {
    ...(resyncedAt === undefined ? {} : { resyncAgeSeconds: age(resyncedAt) }),
    ...(relayHeardAt === undefined ? {} : { relayHeardAgeSeconds: age(relayHeardAt) }),
    orphans: since.length,
    ...(since.length === 0 ? {} : { oldestOrphanAgeSeconds: age(Math.min(...since)) }),
    ...(emptySince === undefined ? {} : { emptyForSeconds: age(emptySince) }),
  };
}

async function readRows(
  { cluster, node }: NodePlace,
  store: StateStore,
): Promise<Part<{ readonly rows: readonly PodRow[]; readonly now: number }>> {
  const rows = await store.listPods({ cluster, node: node.name });
  if (!rows.ok) return unreadableBy(rows.fault);
  const now = await store.now();
  return now.ok ? read({ rows: rows.value.map(({ value }) => value), now: now.value }) : unreadableBy(now.fault);
}
