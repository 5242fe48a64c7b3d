import { podTotals } from './pod-usage.ts';
import type { PodUsage } from './pod-usage.ts';

/** What a node's pods used in all, since somebody counts. */
export interface NodeUsage {
  readonly sinceMs: number;
  readonly atMs: number;
  /** Never falls, whichever pods come and go. */
  readonly cpuNanoSeconds: number;
  readonly nanoCores: number;
  readonly workingSetBytes: number;
}

export const newNodeUsage = (nowMs: number): NodeUsage => ({
  sinceMs: nowMs,
  atMs: nowMs,
  cpuNanoSeconds: 0,
  nanoCores: 0,
  workingSetBytes: 0,
});

/**
 * The node at a later time: each pod's present rate, for the time that has passed. So samples that come once a minute make
 * no peaks, a pod that goes takes nothing back, and what a pod says of itself counts up to what its group has and no more.
 */
export function nextNodeUsage(before: NodeUsage, pods: readonly PodUsage[], nowMs: number): NodeUsage {
  const passedMs = nowMs - before.atMs;
  const totals = pods.map((usage) => {
    const { nanoCores = 0, memory } = podTotals(usage);
    const { cores, bytes } = usage.pod.most;
    return { nanoCores: Math.min(nanoCores, cores * 1e9), bytes: Math.min(memory.workingSetBytes, bytes) };
  });
  const nanoCores = totals.reduce((sum, one) => sum + one.nanoCores, 0);
  const workingSetBytes = totals.reduce((sum, one) => sum + one.bytes, 0);
  if (passedMs <= 0) return { ...before, nanoCores, workingSetBytes };
  return {
    ...before,
    atMs: nowMs,
    cpuNanoSeconds: before.cpuNanoSeconds + Math.round((nanoCores * passedMs) / 1000),
    nanoCores,
    workingSetBytes,
  };
}
