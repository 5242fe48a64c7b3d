import { groupOwner } from '../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import type { ClusterRegistration, NodeRegistration } from '../../../shared/wire/settings.ts';

type Clusters = readonly ClusterRegistration[];

/** The list with these nodes of a cluster in this state; undefined when they are. A removed node never goes back to draining. */
export function withState(
  clusters: Clusters,
  {
    uid,
    nodes,
    state,
  }: { readonly uid: string; readonly nodes: readonly string[]; readonly state: 'draining' | 'removed' },
): Clusters | undefined {
  const moves = (node: NodeRegistration): boolean =>
    nodes.includes(node.name) && node.state !== state && node.state !== 'removed';
  const cluster = clusters.find((one) => one.uid === uid);
  if (cluster?.nodes.some(moves) !== true) return undefined;
  const after = { ...cluster, nodes: cluster.nodes.map((node) => (moves(node) ? { ...node, state } : node)) };
  return clusters.map((one) => (one.uid === uid ? after : one));
}

/** The list without these nodes of a cluster, and without the cluster when it has no other; undefined when nothing is to be taken out. */
export function withoutNodes(clusters: Clusters, uid: string, nodes: readonly string[]): Clusters | undefined {
  const cluster = clusters.find((one) => one.uid === uid);
  if (cluster?.nodes.some(({ name }) => nodes.includes(name)) !== true) return undefined;
  const left = cluster.nodes.filter(({ name }) => !nodes.includes(name));
  return left.length === 0
    ? clusters.filter((one) => one.uid !== uid)
    : clusters.map((one) => (one.uid === uid ? { ...one, nodes: left } : one));
}

/** The list without a cluster; undefined when it is not in it. */
export const withoutCluster = (clusters: Clusters, uid: string): Clusters | undefined =>
  clusters.some((one) => one.uid === uid) ? clusters.filter((one) => one.uid !== uid) : undefined;

/** This installation's groups of a cluster; of some of its nodes, where they are named. By their tags, as ever (rule 1 of docs/architecture.md). */
export function groupsOfCluster(
  groups: readonly ListedGroup[],
  {
    installation,
    uid,
    nodes,
  }: { readonly installation: string; readonly uid: string; readonly nodes?: readonly string[] },
): readonly ListedGroup[] {
  return groups.filter(({ tags }) => {
    const owner = groupOwner(tags);
    return (
      owner?.installation === installation &&
      owner.cluster === uid &&
      (nodes === undefined || nodes.includes(owner.node))
    );
  });
}

/** What was looked for, and what of it is still there. */
export interface Remains {
  readonly what: string;
  readonly left: readonly string[];
}
