import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newNodeUsage, nextNodeUsage } from '../../../shared/core/resource-metrics/node-usage.ts';
import type { PodUsage } from '../../../shared/core/resource-metrics/pod-usage.ts';
import { at, measured, use } from './fixtures.ts';

const pod = (nanoCores: number, megabytes: number, most = { cores: 2, bytes: 2e9 }): PodUsage => ({
  pod: measured({ most }),
  source: 'pod',
  atMs: at(0),
  containers: [{ ...use('app', 1, megabytes), startedAt: '2026-11-23T12:00:00Z', atMs: at(0), nanoCores }],
});

describe("a node is the sum of its pods'", () => {
  it('rates, for the time that passed, and of their memory', () => {
    const first = nextNodeUsage(newNodeUsage(at(0)), [pod(1e9, 100), pod(5e8, 50)], at(10));
    expect(first).toEqual({
      sinceMs: at(0),
      atMs: at(10),
      cpuNanoSeconds: 15e9,
      nanoCores: 15e8,
      workingSetBytes: 150e6,
    });
    // A pod that goes takes nothing back.
    expect(nextNodeUsage(first, [pod(1e9, 100)], at(20))).toMatchObject({ cpuNanoSeconds: 25e9, nanoCores: 1e9 });
    expect(nextNodeUsage(first, [], at(20))).toMatchObject({ cpuNanoSeconds: 15e9, workingSetBytes: 0 });
  });

  it('of which each counts up to what its group has', () => {
    const boaster = pod(1e18, 1e12, { cores: 1, bytes: 1e9 });
    expect(nextNodeUsage(newNodeUsage(at(0)), [boaster, pod(1e9, 100)], at(10))).toMatchObject({
      cpuNanoSeconds: 20e9,
      workingSetBytes: 1.1e9,
    });
  });

  it('and never falls, nor does its time', () => {
    const moments = fc.array(
      fc.tuple(fc.integer({ min: -5, max: 60 }), fc.array(fc.tuple(fc.nat(3e9), fc.nat(5000)), { maxLength: 4 })),
    );
    fc.assert(
      fc.property(moments, (steps) => {
        let known = newNodeUsage(at(0));
        let now = 0;
        for (const [seconds, pods] of steps) {
          now += seconds;
          const next = nextNodeUsage(
            known,
            pods.map(([cpu, memory]) => pod(cpu, memory)),
            at(now),
          );
          expect(next.cpuNanoSeconds).toBeGreaterThanOrEqual(known.cpuNanoSeconds);
          expect(next.atMs).toBeGreaterThanOrEqual(known.atMs);
          known = next;
        }
      }),
    );
  });
});
