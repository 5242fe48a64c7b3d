import type { NodePart, NodeRefusal } from '../node/node-refusal.ts';

/** What the tables remember of one node. */
export interface NodeRow {
  /** Last complete resync, Table service's time. */
  readonly resyncedAt: number | undefined;
  /** When the orphans were last counted: with each complete resync, and in between when some wait for it. */
  readonly countedAt: number | undefined;
  /** When the relay last called; while it is silent the sweep lists the pods itself. */
  readonly relayHeardAt: number | undefined;
  /** What the relay's ports served then that the Node must declare (`status.declaredFeatures`). */
  readonly relayFeatures?: readonly string[];
  /** Pods that are polled again and again: those with a poll planned, as counted while the relay calls, or those that are to end, at the last resync. Spreads their polls. */
  readonly endingPods: number;
  /** Before this time after its PUT hardly any group has started lately, ms; it only spares polls. */
  readonly earliestStartMs: number | undefined;
  /** Unexplained orphans that are held, by group name, with the time of first sight. */
  readonly orphans: Readonly<Record<string, number>>;
  /** Since when a `removed` node has been empty. */
  readonly emptySince: number | undefined;
  /** What is free in the region and what this node's groups take, from the last usages read. */
  readonly usage: NodeUsage | undefined;
  /** What the API server refused to do to the Node, by its part. */
  readonly refusals?: Readonly<Partial<Record<NodePart, NodeRefusal>>>;
}

export const newNodeRow = (): NodeRow => ({
  resyncedAt: undefined,
  countedAt: undefined,
  relayHeardAt: undefined,
  endingPods: 0,
  earliestStartMs: undefined,
  orphans: {},
  emptySince: undefined,
  usage: undefined,
});

export interface NodeUsage {
  readonly readAt: number;
  readonly coresFree: number;
  readonly groupsFree: number;
  /** Of this node's pods that have not ended: those that the scheduler counts. */
  readonly ownCores: number;
  readonly ownGroups: number;
  /** Of this node's pods that have ended: they stand for their logs, and take quota as long as they do. */
  readonly endedCores: number;
  readonly endedGroups: number;
}
