import { defined } from '../defined.ts';
import type { MeasuredPod } from './measured-pod.ts';
import type { ContainerReading, ContainerUsage, PodUsage } from './pod-usage.ts';

/** What Azure Monitor knows of a container: averages over one minute. */
export interface MinuteAverage {
  /** The minute's begin, in ms since the epoch. */
  readonly atMs: number;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** By container. */
export type MonitorReading = ReadonlyMap<string, readonly MinuteAverage[]>;

export const minuteMs = 60_000;
/** A millicore for a millisecond. */
const nanoSecondsEach = 1_000;

/**
 * What is known after averages: a counter that grows with each minute that is new, whose time is the minute's end; where
 * minutes are missing, the next one counts for them. It begins with the newest minute, since nobody knows what was before.
 * A string: why the averages say nothing; what was known
 * before, where there is no new minute.
 */
export function integrateMinutes(
  before: PodUsage | undefined,
  pod: MeasuredPod,
  reading: MonitorReading,
): PodUsage | string {
  if (pod.containers.length === 0) return 'no container runs';
  const containers: ContainerUsage[] = [];
  for (const { name, startedAt } of pod.containers) {
    const last = before?.containers.find((one) => one.name === name && one.startedAt === startedAt);
    const next = integrateContainer(last, { name, startedAt }, reading.get(name) ?? []);
    if (next === undefined) return `nothing is known yet of the container ${name}`;
    containers.push(next);
  }
  return { pod, source: 'monitor', atMs: Math.max(...containers.map((one) => one.atMs)), containers };
}

function integrateContainer(
  last: ContainerUsage | undefined,
  run: { readonly name: string; readonly startedAt: string },
  minutes: readonly MinuteAverage[],
): ContainerUsage | undefined {
  const from = last?.atMs ?? Date.parse(run.startedAt);
  const fresh = minutes
    .filter(({ atMs }) => (last === undefined ? atMs + minuteMs > from : atMs >= from))
    .toSorted((left, right) => left.atMs - right.atMs);
  const newest = fresh.at(-1);
  if (newest === undefined) return last;
  let cpuNanoSeconds = last?.cpuNanoSeconds ?? 0;
  let countedTo = last?.atMs ?? newest.atMs;
  for (const { atMs, cpuMillicores } of last === undefined ? [newest] : fresh) {
    const end = atMs + minuteMs;
    cpuNanoSeconds += cpuMillicores * nanoSecondsEach * (end - countedTo);
    countedTo = end;
  }
  const use: ContainerReading = {
    name: run.name,
    cpuNanoSeconds: Math.round(cpuNanoSeconds),
    // Monitor has one figure of memory; it is what the others call their working set as nearly as can be had.
    memory: { workingSetBytes: newest.memoryBytes, usageBytes: newest.memoryBytes },
  };
  return {
    ...use,
    startedAt: run.startedAt,
    atMs: newest.atMs + minuteMs,
    ...defined({ nanoCores: newest.cpuMillicores * 1_000_000 }),
  };
}
