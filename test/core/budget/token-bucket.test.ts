import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { close, emptyBucket, observeRemaining, refill, take } from '../../../shared/core/budget/token-bucket.ts';

const limits = { capacity: 200, refillPerSecond: 10 };

describe('token bucket', () => {
  it('starts empty and fills up to its capacity', () => {
    const born = emptyBucket(0);
    expect(take(born, limits, { now: 0, wanted: 1, reserve: 0 })).toMatchObject({ granted: 0, waitMs: 100 });
    expect(refill(born, limits, 1000).tokens).toBe(10);
    expect(refill(born, limits, 1_000_000).tokens).toBe(200);
  });

  it('keeps the reserve, and says when more could be had', () => {
    const state = { tokens: 45, at: 0 };
    expect(take(state, limits, { now: 0, wanted: 50, reserve: 40 }).granted).toBe(5);
    expect(take({ tokens: 40, at: 0 }, limits, { now: 0, wanted: 1, reserve: 40 })).toMatchObject({
      granted: 0,
      waitMs: 100,
    });
    expect(take({ tokens: 40, at: 0 }, limits, { now: 0, wanted: 50, reserve: 0 }).granted).toBe(40);
  });

  it('does not go back in time', () => {
    expect(refill({ tokens: 5, at: 1000 }, limits, 0)).toEqual({ tokens: 5, at: 1000 });
  });

  it('is closed by a 429 until the server says', () => {
    const closed = close({ tokens: 100, at: 0 }, 0, 5000);
    expect(take(closed, limits, { now: 4999, wanted: 1, reserve: 0 })).toMatchObject({ granted: 0, waitMs: 1 });
    expect(take(closed, limits, { now: 5000, wanted: 1, reserve: 0 }).granted).toBe(1);
  });

  it('believes the server when it counts less, not when it counts more', () => {
    expect(observeRemaining({ tokens: 100, at: 0 }, 7).tokens).toBe(7);
    expect(observeRemaining({ tokens: 7, at: 0 }, 100).tokens).toBe(7);
  });

  it('never grants more than capacity and refill together, over any span', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: -500, max: 20_000 }),
      wanted: fc.integer({ min: 0, max: 300 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = { tokens: limits.capacity, at: 0 };
        let now = 0;
        const grants: { at: number; count: number }[] = [];
        for (const { afterMs, wanted } of steps) {
          now += afterMs;
          const grant = take(state, limits, { now, wanted, reserve: 0 });
          state = { tokens: grant.state.tokens, at: grant.state.at };
          grants.push({ at: state.at, count: grant.granted });
        }
        for (const [first, { at: from }] of grants.entries()) {
          let sum = 0;
          for (const { at, count } of grants.slice(first)) {
            sum += count;
            expect(sum).toBeLessThanOrEqual(limits.capacity + ((at - from) / 1000) * limits.refillPerSecond + 1e-6);
          }
        }
      }),
    );
  });
});
