import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPodUsage, podTotals } from '../../../shared/core/resource-metrics/pod-usage.ts';
import type { PodReading, PodUsage } from '../../../shared/core/resource-metrics/pod-usage.ts';
import { at, measured, noon, reading, use } from './fixtures.ts';

function after(...steps: readonly (readonly [received: number, reading: PodReading])[]): PodUsage | string {
  let known: PodUsage | string | undefined;
  for (const [received, read] of steps)
    known = nextPodUsage(typeof known === 'string' ? undefined : known, measured(), read, at(received));
  return known ?? 'nothing';
}

const app = (usage: PodUsage | string) => (typeof usage === 'string' ? usage : usage.containers[0]);

describe('what a pod used, reading by reading', () => {
  it('is what was read, at the time of the one who read it', () => {
    expect(app(after([11, reading(10, use('app', 5))]))).toEqual({
      ...use('app', 5),
      startedAt: '2026-11-23T12:00:00Z',
      atMs: at(10),
      // Five seconds since the start, ten ago.
      nanoCores: 500_000_000,
    });
  });

  it('its rate is that between two readings', () => {
    expect(app(after([10, reading(10, use('app', 5))], [20, reading(20, use('app', 25))]))).toMatchObject({
      cpuNanoSeconds: 25e9,
      nanoCores: 2_000_000_000,
    });
  });

  it('the same reading twice is no news', () => {
    const once = after([10, reading(10, use('app', 5))]);
    expect(after([10, reading(10, use('app', 5))], [25, reading(10, use('app', 9))])).toEqual(once);
  });

  it.each<[string, PodReading]>([
    ['a counter that goes back', reading(20, use('app', 4))],
    ['a time that goes back', reading(9, use('app', 6))],
  ])('%s is held as it was', (_, second) => {
    expect(app(after([10, reading(10, use('app', 5))], [20, second]))).toMatchObject({
      cpuNanoSeconds: 5e9,
      atMs: at(10),
    });
  });

  it('another run of the container begins anew, however small its counter', () => {
    const first = after([10, reading(10, use('app', 5))]);
    const again = measured({ containers: [{ name: 'app', startedAt: '2026-11-23T12:00:15Z' }] });
    const next = nextPodUsage(typeof first === 'string' ? undefined : first, again, reading(20, use('app', 1)), at(20));
    expect(app(next)).toMatchObject({ cpuNanoSeconds: 1e9, nanoCores: 200_000_000 });
  });

  it.each([
    ['long ago', -3600],
    ['in the future', 7200],
    ['before there was time', -noon / 1000],
  ])('a clock that says %s is not believed', (_, seconds) => {
    expect(app(after([10, reading(seconds, use('app', 5))]))).toMatchObject({ atMs: at(10) });
  });

  it('a pod is left out whole when one of its containers is missing, and others than its own are not seen', () => {
    const two = measured({
      containers: [
        { name: 'app', startedAt: '2026-11-23T12:00:00Z' },
        { name: 'log', startedAt: '2026-11-23T12:00:00Z' },
      ],
    });
    expect(nextPodUsage(undefined, two, reading(10, use('app', 5)), at(10))).toBe(
      'nothing is said of the container log',
    );
    const all = nextPodUsage(undefined, two, reading(10, use('app', 5), use('agent', 9), use('log', 1)), at(10));
    expect(typeof all === 'string' ? all : all.containers.map(({ name }) => name)).toEqual(['app', 'log']);
    expect(typeof all === 'string' ? all : podTotals(all)).toEqual({
      cpuNanoSeconds: 6e9,
      nanoCores: 600_000_000,
      memory: { workingSetBytes: 100e6, usageBytes: 120e6, rssBytes: 90e6 },
    });
  });

  it('a pod none of whose containers runs has nothing to show', () => {
    expect(nextPodUsage(undefined, measured({ containers: [] }), reading(10, use('app', 5)), at(10))).toBe(
      'no container runs',
    );
  });

  it('goes on where Azure Monitor left off: neither back nor by a leap', () => {
    const monitored: PodUsage = {
      pod: measured(),
      source: 'monitor',
      atMs: at(60),
      containers: [{ ...use('app', 7), startedAt: '2026-11-23T12:00:00Z', atMs: at(60) }],
    };
    const first = nextPodUsage(monitored, measured(), reading(90, use('app', 500)), at(90));
    expect(app(first)).toMatchObject({ cpuNanoSeconds: 7e9, atMs: at(90) });
    const second = nextPodUsage(
      typeof first === 'string' ? undefined : first,
      measured(),
      reading(100, use('app', 510)),
      at(100),
    );
    expect(app(second)).toMatchObject({ cpuNanoSeconds: 17e9, nanoCores: 1_000_000_000 });
  });
});

describe('whatever a pod says of itself', () => {
  const anyNumber = fc.oneof(fc.nat(1e6), fc.constantFrom(0, 2 ** 53, 2 ** 63));
  const anyReading = fc.record({
    atMs: fc.oneof(fc.integer({ min: noon - 9e4, max: noon + 9e5 }), fc.constantFrom(0, 9.2e12)),
    cpu: anyNumber,
    memory: anyNumber,
  });

  it('time and counter of one run never go back, and rates are not negative', () => {
    fc.assert(
      fc.property(fc.array(anyReading, { minLength: 1, maxLength: 12 }), (readings) => {
        let known: PodUsage | undefined;
        readings.forEach(({ atMs, cpu, memory }, index) => {
          const container = { name: 'app', cpuNanoSeconds: cpu, memory: { workingSetBytes: memory } };
          const next = nextPodUsage(known, measured(), { atMs, containers: [container] }, at(15 * (index + 1)));
          if (typeof next === 'string') throw new Error(next);
          const [before, now] = [known?.containers[0], next.containers[0]];
          expect(now?.cpuNanoSeconds).toBeGreaterThanOrEqual(before?.cpuNanoSeconds ?? 0);
          expect(now?.atMs).toBeGreaterThanOrEqual(before?.atMs ?? 0);
          expect(now?.nanoCores ?? 0).toBeGreaterThanOrEqual(0);
          known = next;
        });
      }),
    );
  });
});
