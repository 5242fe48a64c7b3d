import type { ProbeCount } from '../readiness/probe-counts.ts';
import type { ResourceMeter } from '../resource-metrics/resource-meter.ts';

/** What the leader measures. */
export interface Measures {
  readonly meter: ResourceMeter;
  /** Of a node's pods. */
  readonly probeCounts: (node: string) => readonly ProbeCount[];
  /** Whether the first list of every node is done: before, pods are missing. */
  readonly isListed: () => boolean;
}

/** Where the answers to questions for metrics come from. */
export interface MetricsDoor {
  /** Undefined while another replica leads. */
  readonly measures: () => Measures | undefined;
  /** The address of the replica that leads, as far as it is known here. */
  readonly leaderAddress: () => string | undefined;
}
