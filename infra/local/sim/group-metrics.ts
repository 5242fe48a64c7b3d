import { minuteMs } from '../../../shared/core/resource-metrics/minute-averages.ts';
import type { MinuteAverage, MonitorReading } from '../../../shared/core/resource-metrics/minute-averages.ts';
import type { MetricsWindow } from '../../../shared/ports/container-groups.ts';
import { behaviourOf } from './container-runs.ts';
import { listRuns } from './group-life.ts';
import type { ContainerRun, GroupWorld, MemoryGroup } from './group-life.ts';

/** So late is Azure Monitor. */
const lagMs = 2 * minuteMs;
const defaultUse = { millicores: 100, bytes: 50_000_000 };

/** What Azure Monitor has of a group: of each minute in which a container ran for some time, that part of its use. */
export function averagesOf(group: MemoryGroup, world: GroupWorld, { fromMs, toMs }: MetricsWindow): MonitorReading {
  const until = Math.min(toMs, world.now - lagMs);
  const byContainer = new Map<string, MinuteAverage[]>();
  const runs = listRuns(group, world).filter(({ isInit }) => !isInit);
  for (let atMs = Math.floor(fromMs / minuteMs) * minuteMs; atMs + minuteMs <= until; atMs += minuteMs)
    for (const { name, image } of group.body.containers) {
      const ranMs = runs
        .filter(({ container }) => container === name)
        .reduce((sum, run) => sum + overlapMs(run, atMs, world.now), 0);
      if (ranMs === 0) continue;
      const { millicores, bytes } = behaviourOf(world.behaviours, image).use ?? defaultUse;
      const minutes = byContainer.get(name) ?? [];
      minutes.push({ atMs, cpuMillicores: (millicores * ranMs) / minuteMs, memoryBytes: bytes });
      byContainer.set(name, minutes);
    }
  return byContainer;
}

const overlapMs = ({ startedAt, endedAt }: ContainerRun, atMs: number, now: number): number =>
  Math.max(0, Math.min(atMs + minuteMs, endedAt ?? now) - Math.max(atMs, startedAt));
