import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BucketState } from '../../../shared/core/budget/token-bucket.ts';
import {
  acceptWindow,
  askAgainMs,
  emptyWindow,
  observeWindow,
  openWindow,
  refuseWindow,
  remaining,
  takeWindow,
} from '../../../shared/core/budget/window.ts';
import type { WindowLimits } from '../../../shared/core/budget/window.ts';

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

  it('starts with one grant a slot when nobody knows what was spent, and opens when ARM says what remains', () => {
    const born = emptyWindow(start, limits);
    const first = takeWindow(born, limits, { now: start, wanted: 10 });
    expect(first.granted).toBe(1);
    const second = takeWindow(first.state, limits, { now: start + 1000, wanted: 10 });
    expect(second.granted).toBe(0);
    expect(second.waitMs).toBeLessThanOrEqual(15_000);
    expect(takeWindow(second.state, limits, { now: start + 1000 + second.waitMs, wanted: 10 }).granted).toBe(1);
    const reported = observeWindow(first.state, limits, { now: start + 2000, remaining: 60 });
    expect(takeWindow(reported, limits, { now: start + 2000, wanted: 100 }).granted).toBe(59);
  });

  it('forgets the presumption when the longest window has passed', () => {
    const later = start + 3_600_000 + limits.lagMs;
    expect(takeWindow(emptyWindow(start, limits), limits, { now: later, wanted: 200 }).granted).toBe(100);
  });

  it('counts what others spend as spent, for as long as a window lasts', () => {
    const reported = observeWindow(known, limits, { now: start, remaining: 7 });
    expect(takeWindow(reported, limits, { now: start, wanted: 100 }).granted).toBe(7);
    expect(takeWindow(reported, limits, { now: start + 330_000, wanted: 100 }).granted).toBe(100);
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

/** What could be had at once. */
const open = (state: BucketState, now: number): number => takeWindow(state, limits, { now, wanted: 1000 }).granted;

describe('windowed budget of which nobody knows what others have spent', () => {
  it('is not opened without evidence: one grant a slot while no call is accepted', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ afterMs: fc.nat(20_000), wanted: fc.nat(50) }), { maxLength: 120 }), (steps) => {
        let state = emptyWindow(start, limits);
        let now = start;
        const slots: number[] = [];
        for (const { afterMs, wanted } of steps) {
          now += afterMs;
          if (now >= start + 3_600_000) break;
          const grant = takeWindow(state, limits, { now, wanted });
          state = grant.state;
          for (let index = 0; index < grant.granted; index += 1) slots.push(Math.floor(now / limits.slotMs));
        }
        expect(new Set(slots).size).toBe(slots.length);
      }),
    );
  });

  it('opens by accepted calls and by nothing else, is halved by a 429, and never holds more than the limits', () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.nat(2000), fc.nat(30_000)),
      wanted: fc.nat(60),
      accepted: fc.nat(60),
      refused: fc.nat(5).map((drawn) => drawn === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = emptyWindow(start, limits);
        let now = start;
        let unanswered = 0;
        let isRefused = false;
        const uses: number[] = [];
        const trickled = new Set<number>();
        let accepted = 0;
        let halvings = 0;
        for (const { afterMs, wanted, accepted: answers, refused } of steps) {
          now = Math.min(now + afterMs, start + 3_599_000);
          const grant = takeWindow(state, limits, { now, wanted });
          state = grant.state;
          unanswered += grant.granted;
          trickled.add(Math.floor(now / limits.slotMs));
          for (let index = 0; index < grant.granted; index += 1) uses.push(now);
          const count = Math.min(unanswered, answers);
          unanswered -= count;
          accepted += count;
          state = acceptWindow(state, limits, { now, accepted: count });
          // Each accepted call has opened the budget for four in all.
          const least = isRefused ? 0 : Math.min(remaining(state, limits), 4 * accepted - uses.length);
          expect(open(state, now)).toBeGreaterThanOrEqual(least);
          const left = state.presumed?.left ?? Number.NaN;
          const is429 = refused && unanswered > 0;
          if (is429) {
            unanswered -= 1;
            halvings += 1;
            isRefused = true;
            state = refuseWindow(state, limits, now);
          }
          expect(state.presumed?.left).toBe(is429 ? Math.max(1, Math.floor(left / 2)) : left);
          expect(uses.length).toBeLessThanOrEqual(4 * accepted + trickled.size + halvings);
        }
        for (const rule of limits.rules) expect(densest(uses, rule.windowMs)).toBeLessThanOrEqual(rule.limit);
      }),
      { numRuns: 300 },
    );
  });

  it('presumes half of what it had counted after a 429, until ARM accepts or reports more', () => {
    const refused = refuseWindow(known, limits, start);
    expect(open(refused, start)).toBe(50);
    expect(open(acceptWindow(refused, limits, { now: start, accepted: 3 }), start)).toBe(62);
    expect(open(observeWindow(refused, limits, { now: start, remaining: 90 }), start)).toBe(90);
    expect(open(refuseWindow(emptyWindow(start, limits), limits, start), start)).toBe(1);
  });

  it('lets a first installation begin with twenty at once, and no more before one is accepted', () => {
    const first = takeWindow(openWindow(start, limits), limits, { now: start, wanted: 50 });
    expect(first.granted).toBe(20);
    expect(open(first.state, start + 1000)).toBe(0);
    expect(open(acceptWindow(first.state, limits, { now: start + 1000, accepted: 20 }), start + 1000)).toBe(80);
  });

  it('has takers ask again soon while answers are on their way, and at the next slot at the latest', () => {
    const first = takeWindow(emptyWindow(start, limits), limits, { now: start, wanted: 1 }).state;
    const wait = (now: number): number => askAgainMs(first, limits, { now, waitMs: 8000 });
    expect([start, start + 600, start + 4000, start + 9000].map(wait)).toEqual([250, 600, 4000, 8000]);
    expect(askAgainMs({ ...first, closedUntil: start + 9000 }, limits, { now: start, waitMs: 9000 })).toBe(9000);
    const spent = takeWindow(known, limits, { now: start, wanted: 100 }).state;
    expect(askAgainMs(spent, limits, { now: start, waitMs: 300_000 })).toBe(300_000);
  });
});
