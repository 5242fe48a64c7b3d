import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../shared/core/backoff/backoff.ts';

const policy = { baseMs: 1000, maxMs: 300_000 };

describe('back-off', () => {
  it.each([
    [0, 0, 500],
    [0, 0.5, 750],
    [1, 0, 1000],
    [3, 0, 4000],
    [8, 0, 128_000],
    [9, 0, 150_000],
    [1000, 0, 150_000],
  ])('attempt %i with random %d waits %i ms', (attempt, random, expected) => {
    expect(backoffMs(policy, attempt, random)).toBe(expected);
  });

  it('stays between half the ceiling and the ceiling', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 30));
        const wait = backoffMs(policy, attempt, random);
        expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
        expect(wait).toBeLessThanOrEqual(ceiling);
      }),
    );
  });
});
