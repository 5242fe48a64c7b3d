import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { statusFindings } from '../inspect/findings.ts';
import { valueOf } from '../inspect/observed.ts';
import type {
  BudgetObserved,
  ClusterObserved,
  Finding,
  NodeObserved,
  NodeRowSeen,
  Part,
  PodTrouble,
  QuotaObserved,
  StatusObserved,
  UnmanagedGroups,
} from '../inspect/observed.ts';

/**
 * What `status --output json` prints, in the version of `outputSchemaVersion`. `null`
 * stands for what could not be read; why is in `unreadable`. Seconds and counts are numbers.
 */
export interface StatusReport {
  readonly installation: string;
  readonly region: string;
  /** False as soon as one finding is more than information. */
  readonly healthy: boolean;
  readonly clusters: readonly ClusterReport[];
  readonly quota: readonly QuotaObserved[] | null;
  readonly budgets: readonly BudgetObserved[] | null;
  readonly unmanagedGroups: readonly UnmanagedGroups[] | null;
  readonly unreadable: readonly { readonly part: string; readonly reason: string }[];
  readonly findings: readonly Finding[];
}

export interface ClusterReport {
  readonly name: string;
  readonly uid: string;
  readonly server: string;
  /** What answers there now. */
  readonly liveUid: string | null;
  /** Whom its pods ask for names, as registered; null: Azure's resolver. */
  readonly dns: ClusterRegistration['dns'] | null;
  /** How its pods reach Services, as registered; null: they don't. */
  readonly services: ClusterRegistration['services'] | null;
  readonly nodes: readonly NodeReport[];
}

export interface NodeReport {
  readonly name: string;
  readonly state: NodeObserved['state'];
  readonly zone: string | null;
  /** `True`, `False`, `Unknown`; `absent`: there is no such Node, or no such condition. */
  readonly ready: string | null;
  readonly unschedulable: boolean | null;
  readonly version: string | null;
  readonly allocatable: { readonly cpu: string; readonly memory: string; readonly pods: string } | null;
  readonly leaseAgeSeconds: number | null;
  /** Since the app last wrote the Node's status. */
  readonly statusAgeSeconds: number | null;
  /** Since the app last compared all pods and groups of the node. */
  readonly resyncAgeSeconds: number | null;
  /** Since the relay last called the app. */
  readonly relayHeardAgeSeconds: number | null;
  readonly pods: Readonly<Record<string, number>> | null;
  readonly groups: number | null;
  readonly orphans: number | null;
  readonly troubles: readonly PodTrouble[] | null;
}

export function statusReport(observed: StatusObserved): StatusReport {
  const { installation, region, clusters, quota, budgets, unmanagedGroups } = observed;
  const findings = statusFindings(observed);
  return {
    installation,
    region,
    healthy: findings.every(({ severity }) => severity === 'info'),
    clusters: clusters.map(clusterReport),
    quota: valueOf(quota) ?? null,
    budgets: valueOf(budgets) ?? null,
    unmanagedGroups: valueOf(unmanagedGroups) ?? null,
    unreadable: unreadableParts(observed),
    findings,
  };
}

/** True when not a single part was read: then nothing can be said. */
export const isBlind = ({ clusters, quota, budgets, unmanagedGroups }: StatusObserved): boolean => {
  const azure: readonly Part<unknown>[] = [quota, budgets, unmanagedGroups];
  const nodes = clusters.flatMap((cluster) => [
    cluster.live,
    ...cluster.nodes.flatMap(({ groups, row }): readonly Part<unknown>[] => [groups, row]),
  ]);
  return [...azure, ...nodes].every(({ kind }) => kind === 'unreadable');
};

const clusterReport = ({ name, uid, server, live, reach, nodes }: ClusterObserved): ClusterReport => ({
  name,
  uid,
  server,
  liveUid: valueOf(live)?.uid ?? null,
  dns: reach.dns ?? null,
  services: reach.services ?? null,
  nodes: nodes.map(nodeReport),
});

function nodeReport(observed: NodeObserved): NodeReport {
  const { name, state, zone = null } = observed;
  return {
    name,
    state,
    zone,
    ...objectReport(observed),
    leaseAgeSeconds: valueOf(observed.lease)?.ageSeconds ?? null,
    ...rowReport(valueOf(observed.row)),
    pods: valueOf(observed.pods) ?? null,
    groups: valueOf(observed.groups) ?? null,
    troubles: valueOf(observed.troubles) ?? null,
  };
}

function objectReport({ node }: NodeObserved) {
  const seen = valueOf(node);
  const isAbsent = node.kind === 'read' && seen === undefined;
  return {
    ready: isAbsent ? 'absent' : (seen?.ready ?? null),
    unschedulable: seen?.unschedulable ?? null,
    version: seen?.version ?? null,
    allocatable: seen?.allocatable ?? null,
    statusAgeSeconds: seen?.statusAgeSeconds ?? null,
  };
}

const rowReport = (row: NodeRowSeen | undefined) => ({
  resyncAgeSeconds: row?.resyncAgeSeconds ?? null,
  relayHeardAgeSeconds: row?.relayHeardAgeSeconds ?? null,
  orphans: row?.orphans ?? null,
});

function unreadableParts(observed: StatusObserved): StatusReport['unreadable'] {
  return [
    ...reasonOf('registrations', observed.registrations),
    ...reasonOf('quota', observed.quota),
    ...reasonOf('budgets', observed.budgets),
    ...reasonOf('unmanagedGroups', observed.unmanagedGroups),
    ...observed.clusters.flatMap((cluster) => [
      ...reasonOf(`cluster ${cluster.name}`, cluster.live),
      ...cluster.nodes.flatMap((node) => nodeReasons(`node ${cluster.name}/${node.name}`, node)),
    ]),
  ];
}

const nodeReasons = (subject: string, { node, lease, pods, groups, row, troubles }: NodeObserved) => [
  ...reasonOf(`${subject} node`, node),
  ...reasonOf(`${subject} lease`, lease),
  ...reasonOf(`${subject} pods`, pods),
  ...reasonOf(`${subject} groups`, groups),
  ...reasonOf(`${subject} row`, row),
  ...reasonOf(`${subject} troubles`, troubles),
];

const reasonOf = (part: string, read: Part<unknown>): StatusReport['unreadable'] =>
  read.kind === 'unreadable' ? [{ part, reason: read.reason }] : [];
