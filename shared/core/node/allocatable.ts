import { oneUnit, parseQuantity } from '../quantity/quantity.ts';
import type { NodeResources } from './node-spec.ts';

export interface Share {
  readonly capacity: NodeResources;
  /** Free in the region, ours not counted; undefined: not known yet, the capacity is used. */
  readonly usage: { readonly coresFree: number; readonly groupsFree: number } | undefined;
  /** How many nodes draw on the same quota; ≥ 1. */
  readonly nodesSharing: number;
  /** What this node's groups take already. Those of ended pods, which the scheduler does not count, go when their room is needed. */
  readonly ownCores: number;
  readonly ownGroups: number;
}

/**
 * What the scheduler may place: what this node has plus its share of what is free, never above the capacity. A group
 * takes at least 1 vCPU and 1 GB, so there are never more pods than those allow. The nodes' shares together never
 * exceed the quota less what others use.
 */
export function allocatable({ capacity, usage, nodesSharing, ownCores, ownGroups }: Share): NodeResources {
  const share = (own: number, free: number): number => Math.max(0, own) + Math.max(0, free) / Math.max(1, nodesSharing);
  const cores = Math.min(amount(capacity.cpu), usage === undefined ? Infinity : share(ownCores, usage.coresFree));
  const groups = usage === undefined ? Infinity : share(ownGroups, usage.groupsFree);
  const memoryInGB = amount(capacity.memory) / 1e9;
  const pods = Math.floor(Math.min(capacity.pods, groups, cores, memoryInGB));
  return { cpu: coresText(cores), memory: capacity.memory, pods: Math.max(0, pods) };
}

/** In whole units; 0 for what is no quantity, so that nothing is promised. */
const amount = (quantity: string): number => Number(parseQuantity(quantity) ?? 0n) / Number(oneUnit);

function coresText(cores: number): string {
  const milli = Math.floor(cores * 1000 + 1e-6);
  return milli % 1000 === 0 ? String(milli / 1000) : `${String(milli)}m`;
}
