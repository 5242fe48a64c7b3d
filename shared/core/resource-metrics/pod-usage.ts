import { defined } from '../defined.ts';
import type { MeasuredPod, MemoryUse, NetworkUse } from './measured-pod.ts';

/** What a source says of one container at one time. */
export interface ContainerReading {
  readonly name: string;
  /** Cumulative, since the container's start. */
  readonly cpuNanoSeconds: number;
  readonly memory: MemoryUse;
}

export interface PodReading {
  /** The source's own time, in ms since the epoch. */
  readonly atMs: number;
  readonly containers: readonly ContainerReading[];
  readonly network?: NetworkUse;
}

/** What a container used up to a time. */
export interface ContainerUsage extends ContainerReading {
  readonly startedAt: string;
  readonly atMs: number;
  /** Between this reading and the one before, or the container's start; undefined: not known yet. */
  readonly nanoCores?: number;
  /** What the source's counter lacks, where another source counted before it. */
  readonly shift?: number;
}

/** Who says what a pod uses: the pod's own address, or Azure Monitor. */
export type UsageSource = 'pod' | 'monitor';

export interface PodUsage {
  readonly pod: MeasuredPod;
  readonly source: UsageSource;
  /** Of the newest of its containers. */
  readonly atMs: number;
  readonly containers: readonly ContainerUsage[];
  readonly network?: NetworkUse;
}

/** A source whose clock is farther off says nothing by it: the time of the answer is taken. */
const clockDifferenceMs = 60_000;

/** The time of a reading: its own, or that of the answer where its own can't be. */
export const plausibleTime = (atMs: number, receivedAtMs: number): number =>
  Math.abs(atMs - receivedAtMs) <= clockDifferenceMs ? atMs : receivedAtMs;

/**
 * What is known after a reading; a string: why it says nothing. A pod of which a running container is missing is left out
 * whole, or its sum would be wrong. Within one run of a container neither time nor counter goes back: what would is held
 * as it was, until the status shows another run.
 */
export function nextPodUsage(
  before: PodUsage | undefined,
  pod: MeasuredPod,
  reading: PodReading,
  receivedAtMs: number,
): PodUsage | string {
  if (pod.containers.length === 0) return 'no container runs';
  const atMs = plausibleTime(reading.atMs, receivedAtMs);
  const containers: ContainerUsage[] = [];
  for (const { name, startedAt } of pod.containers) {
    const read = reading.containers.find((one) => one.name === name);
    if (read === undefined) return `nothing is said of the container ${name}`;
    const last = before?.containers.find((one) => one.name === name && one.startedAt === startedAt);
    const shift =
      before?.source === 'monitor' && last !== undefined ? last.cpuNanoSeconds - read.cpuNanoSeconds : last?.shift;
    containers.push(nextContainer(last, { ...shifted(read, shift), startedAt, atMs }));
  }
  return {
    pod,
    source: 'pod',
    atMs: Math.max(...containers.map((one) => one.atMs)),
    containers,
    ...defined({ network: reading.network }),
  };
}

/** Two sources begin to count at different times: the second goes on where the first was, or its begin would look like a peak. */
const shifted = (read: ContainerReading, shift = 0): ContainerReading & { readonly shift?: number } =>
  shift === 0 ? read : { ...read, cpuNanoSeconds: read.cpuNanoSeconds + shift, shift };

function nextContainer(last: ContainerUsage | undefined, next: Omit<ContainerUsage, 'nanoCores'>): ContainerUsage {
  if (last === undefined) return { ...next, ...defined({ nanoCores: sinceStart(next) }) };
  if (next.atMs <= last.atMs || next.cpuNanoSeconds < last.cpuNanoSeconds) return last;
  const nanoCores = rate(next.cpuNanoSeconds - last.cpuNanoSeconds, next.atMs - last.atMs);
  return { ...next, ...defined({ nanoCores }) };
}

const sinceStart = ({ cpuNanoSeconds, startedAt, atMs }: Omit<ContainerUsage, 'nanoCores'>): number | undefined =>
  rate(cpuNanoSeconds, atMs - Date.parse(startedAt));

const rate = (nanoSeconds: number, ms: number): number | undefined =>
  ms > 0 ? Math.round(nanoSeconds / (ms / 1000)) : undefined;

/** The sums over a pod's containers: what the platform runs beside them is not the pod's. */
export function podTotals({ containers }: PodUsage): {
  readonly cpuNanoSeconds: number;
  readonly nanoCores: number | undefined;
  readonly memory: MemoryUse;
} {
  const sum = (values: readonly (number | undefined)[]): number | undefined =>
    values.includes(undefined) ? undefined : values.reduce<number>((total, value) => total + (value ?? 0), 0);
  return {
    cpuNanoSeconds: sum(containers.map((one) => one.cpuNanoSeconds)) ?? 0,
    nanoCores: sum(containers.map((one) => one.nanoCores)),
    memory: {
      workingSetBytes: sum(containers.map((one) => one.memory.workingSetBytes)) ?? 0,
      ...defined({
        usageBytes: sum(containers.map((one) => one.memory.usageBytes)),
        rssBytes: sum(containers.map((one) => one.memory.rssBytes)),
      }),
    },
  };
}
