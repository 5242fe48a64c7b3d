import { defined } from '../defined.ts';
import type { JsonObject } from '../json.ts';
import { rfc3339 as time } from '../status/time.ts';
import type { MemoryUse, NetworkUse } from './measured-pod.ts';
import type { NodeReading } from './node-reading.ts';
import { podTotals } from './pod-usage.ts';
import type { PodUsage } from './pod-usage.ts';

/**
 * What a kubelet answers at `/stats/summary` (`k8s.io/kubelet/pkg/apis/stats/v1alpha1`, Summary), as far as it is known of
 * pods that have no node of their own: no file systems, no volumes. `isBrief`: `only_cpu_and_memory`.
 */
export const summaryOf = ({ node, usage, pods }: NodeReading, isBrief: boolean): JsonObject => ({
  node: { nodeName: node, ...(usage === undefined ? {} : nodeStats(usage)) },
  pods: pods.map((pod) => podStats(pod, isBrief)),
});

const nodeStats = (usage: NonNullable<NodeReading['usage']>): JsonObject => ({
  startTime: time(usage.sinceMs),
  cpu: cpuStats({ ...usage, at: time(usage.atMs) }),
  memory: memoryStats({ workingSetBytes: usage.workingSetBytes }, time(usage.atMs)),
});

function podStats(usage: PodUsage, isBrief: boolean): JsonObject {
  const { pod, containers, network } = usage;
  const totals = podTotals(usage);
  const at = time(usage.atMs);
  return {
    podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    startTime: pod.startedAt,
    containers: containers.map(({ name, startedAt, atMs, cpuNanoSeconds, nanoCores, memory }) => ({
      name,
      startTime: startedAt,
      cpu: cpuStats({ cpuNanoSeconds, nanoCores, at: time(atMs) }),
      memory: memoryStats(memory, time(atMs)),
    })),
    cpu: cpuStats({ ...totals, at }),
    memory: memoryStats(totals.memory, at),
    ...(network === undefined || isBrief ? {} : { network: networkStats(network, at) }),
  };
}

interface Cpu {
  readonly at: string;
  readonly cpuNanoSeconds: number;
  readonly nanoCores?: number | undefined;
}

const cpuStats = ({ at, cpuNanoSeconds, nanoCores }: Cpu): JsonObject => ({
  time: at,
  ...defined({ usageNanoCores: nanoCores }),
  usageCoreNanoSeconds: cpuNanoSeconds,
});

const memoryStats = ({ usageBytes, workingSetBytes, rssBytes }: MemoryUse, at: string): JsonObject => ({
  time: at,
  ...defined({ usageBytes }),
  workingSetBytes,
  ...defined({ rssBytes }),
});

const networkStats = ({ interfaces, ...first }: NetworkUse, at: string): JsonObject => ({
  time: at,
  ...first,
  interfaces: interfaces.map((one) => ({ ...one })),
});
