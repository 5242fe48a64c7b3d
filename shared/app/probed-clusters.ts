import type { ProbedPlace } from '../core/agent/findings/probed-place.ts';
import type { ClusterDeps, Deps, NodeDeps } from './deps.ts';

type Clusters = Deps['clusters'];

/** The same clusters, whose nodes know what was probed. */
export const probedClusters = (clusters: Clusters, probes: readonly ProbedPlace[]): Clusters =>
  probes.length === 0
    ? clusters
    : new Map([...clusters].map(([uid, cluster]) => [uid, probedCluster(cluster, probes)]));

const probedCluster = (cluster: ClusterDeps, probes: readonly ProbedPlace[]): ClusterDeps => ({
  ...cluster,
  nodes: new Map(
    [...cluster.nodes].map(([name, node]): [string, NodeDeps] => [name, { ...node, facts: { ...node.facts, probes } }]),
  ),
});
