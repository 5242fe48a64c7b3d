import type { NodeUsage } from './node-usage.ts';
import type { PodUsage } from './pod-usage.ts';

/** What is known of a node and its pods at one time. */
export interface NodeReading {
  readonly node: string;
  /** Undefined: pods run, and nothing is known of any. */
  readonly usage: NodeUsage | undefined;
  readonly pods: readonly PodUsage[];
  /** Pods that run and of which nothing is known. */
  readonly leftOut: number;
}
