import { describe, expect, it } from 'vitest';
import { integrateMinutes } from '../../../shared/core/resource-metrics/minute-averages.ts';
import type { MinuteAverage } from '../../../shared/core/resource-metrics/minute-averages.ts';
import type { PodUsage } from '../../../shared/core/resource-metrics/pod-usage.ts';
import { at, measured } from './fixtures.ts';

const minute = (begin: number, cpuMillicores: number, memoryBytes = 3e7): MinuteAverage => ({
  atMs: at(begin * 60),
  cpuMillicores,
  memoryBytes,
});

const known = (usage: PodUsage | string): PodUsage => {
  if (typeof usage === 'string') throw new Error(usage);
  return usage;
};

const step = (before: PodUsage | undefined, ...minutes: readonly MinuteAverage[]): PodUsage =>
  known(integrateMinutes(before, measured(), new Map([['app', minutes]])));

describe('averages of Azure Monitor as a counter', () => {
  it('begins with the newest minute, at its end', () => {
    expect(step(undefined, minute(0, 900), minute(1, 500)).containers[0]).toEqual({
      name: 'app',
      startedAt: '2026-11-23T12:00:00Z',
      atMs: at(120),
      cpuNanoSeconds: 30e9,
      nanoCores: 500_000_000,
      memory: { workingSetBytes: 3e7, usageBytes: 3e7 },
    });
  });

  it('grows by each minute once, in whatever order and how often they come', () => {
    const first = step(undefined, minute(1, 500));
    const later = step(first, minute(3, 1000), minute(1, 500), minute(2, 200), minute(2, 200), minute(0, 900));
    expect(later.containers[0]).toMatchObject({ atMs: at(240), cpuNanoSeconds: 30e9 + 12e9 + 60e9 });
    expect(step(later, minute(2, 200), minute(3, 1000))).toEqual(later);
  });

  it('a minute counts for those that are missing before it, so that the rate is right', () => {
    const first = step(undefined, minute(1, 500));
    expect(step(first, minute(4, 100)).containers[0]).toMatchObject({ atMs: at(300), cpuNanoSeconds: 30e9 + 18e9 });
  });

  it('an idle container has a counter that stands still, and a time that goes on', () => {
    const first = step(undefined, minute(1, 0));
    expect(
      [first, step(first, minute(2, 0))].map(({ atMs, containers }) => [atMs, containers[0]?.cpuNanoSeconds]),
    ).toEqual([
      [at(120), 0],
      [at(180), 0],
    ]);
  });

  it('minutes before the container started are of another run', () => {
    const late = measured({ containers: [{ name: 'app', startedAt: '2026-11-23T12:05:30Z' }] });
    expect(integrateMinutes(undefined, late, new Map([['app', [minute(3, 900), minute(4, 900)]]]))).toBe(
      'nothing is known yet of the container app',
    );
    expect(known(integrateMinutes(undefined, late, new Map([['app', [minute(4, 900), minute(5, 100)]]]))).atMs).toBe(
      at(360),
    );
  });

  it('a pod is left out whole until each of its containers is known', () => {
    const two = measured({
      containers: [
        { name: 'app', startedAt: '2026-11-23T12:00:00Z' },
        { name: 'log', startedAt: '2026-11-23T12:00:00Z' },
      ],
    });
    expect(integrateMinutes(undefined, two, new Map([['app', [minute(1, 1)]]]))).toBe(
      'nothing is known yet of the container log',
    );
  });
});
