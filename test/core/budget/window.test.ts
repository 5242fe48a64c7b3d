import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BucketState } from '../../../shared/core/budget/token-bucket.ts';
import {
  emptyWindow,
  observeWindow,
  remaining,
  takeWindow,
  type WindowLimits,
} from '../../../shared/core/budget/window.ts';

const limits: WindowLimits = {
  rules: [
    { windowMs: 300_000, limit: 100 },
    { windowMs: 3_600_000, limit: 300 },
  ],
  slotMs: 15_000,
  lagMs: 4000,
};
const start = 1_700_000_000_000;
const known: BucketState = { tokens: 0, at: start, slots: [] };

/** The largest number of uses in any window of `windowMs`. */
export function densest(uses: readonly number[], windowMs: number): number {
  const sorted = [...uses].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [index, use] of sorted.entries()) {
    while (use - (sorted[first] ?? use) > windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

describe('windowed budget', () => {
  it('grants a burst up to the shorter window, and says when more can be had', () => {
    const first = takeWindow(known, limits, { now: start, wanted: 150 });
    expect(first).toMatchObject({ granted: 100, waitMs: 0 });
    const second = takeWindow(first.state, limits, { now: start + 10_000, wanted: 1 });
    expect(second.granted).toBe(0);
    expect(takeWindow(second.state, limits, { now: start + 10_000 + second.waitMs - 1, wanted: 1 }).granted).toBe(0);
    expect(takeWindow(second.state, limits, { now: start + 10_000 + second.waitMs, wanted: 1 }).granted).toBe(1);
  });

  it('keeps the rate: nearly 300 an hour', () => {
    let state: BucketState = known;
    let granted = 0;
    for (let now = start; now < start + 4 * 3_600_000; now += 5000) {
      const grant = takeWindow(state, limits, { now, wanted: 20 });
      state = grant.state;
      granted += grant.granted;
    }
    expect(granted).toBeGreaterThanOrEqual(4 * 290);
  });

  it('starts with one grant a slot when nobody knows what was spent, and opens when ARM tells what remains', () => {
    const born = emptyWindow(start, limits);
    const first = takeWindow(born, limits, { now: start, wanted: 10 });
    expect(first.granted).toBe(1);
    const second = takeWindow(first.state, limits, { now: start + 1000, wanted: 10 });
    expect(second.granted).toBe(0);
    expect(second.waitMs).toBeLessThanOrEqual(15_000);
    expect(takeWindow(second.state, limits, { now: start + 1000 + second.waitMs, wanted: 10 }).granted).toBe(1);
    const told = observeWindow(first.state, limits, { now: start + 2000, remaining: 60 });
    expect(takeWindow(told, limits, { now: start + 2000, wanted: 100 }).granted).toBe(59);
  });

  it('forgets the presumption when the longest window has passed', () => {
    const later = start + 3_600_000 + limits.lagMs;
    expect(takeWindow(emptyWindow(start, limits), limits, { now: later, wanted: 200 }).granted).toBe(100);
  });

  it('counts what others spend as spent, for as long as a window lasts', () => {
    const told = observeWindow(known, limits, { now: start, remaining: 7 });
    expect(takeWindow(told, limits, { now: start, wanted: 100 }).granted).toBe(7);
    expect(takeWindow(told, limits, { now: start + 330_000, wanted: 100 }).granted).toBe(100);
    expect(remaining(observeWindow(known, limits, { now: start, remaining: 900 }), limits)).toBe(100);
  });

  it('grants nothing while closed', () => {
    const closed = { ...known, closedUntil: start + 5000 };
    expect(takeWindow(closed, limits, { now: start, wanted: 1 })).toMatchObject({ granted: 0, waitMs: 5000 });
    expect(takeWindow(closed, limits, { now: start + 5000, wanted: 1 }).granted).toBe(1);
  });

  it('never lets a window of any place hold more than its limit, however late within the lag permits are used', () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.integer({ min: -2000, max: 30_000 }), fc.integer({ min: 280_000, max: 320_000 })),
      wanted: fc.integer({ min: 0, max: 120 }),
      lateMs: fc.integer({ min: 0, max: limits.lagMs }),
      reported: fc.option(fc.integer({ min: 0, max: 400 })),
    });
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 80 }), (reborn, steps) => {
        let state = reborn ? emptyWindow(start, limits) : known;
        let now = start;
        const uses: number[] = [];
        for (const { afterMs, wanted, lateMs, reported } of steps) {
          // Readings of another instance's clock may lie a little behind; the lag covers it.
          now = Math.max(state.at, now + afterMs);
          const grant = takeWindow(state, limits, { now, wanted });
          state = grant.state;
          if (reported !== null) state = observeWindow(state, limits, { now, remaining: reported });
          for (let index = 0; index < grant.granted; index += 1) uses.push(now + (index % 2 === 0 ? lateMs : 0));
          expect(grant.waitMs > 0).toBe(grant.granted === 0);
        }
        for (const rule of limits.rules) expect(densest(uses, rule.windowMs)).toBeLessThanOrEqual(rule.limit);
      }),
      { numRuns: 300 },
    );
  });
});
