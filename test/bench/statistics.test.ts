import { describe, expect, it } from 'vitest';
import { median, percentile } from './statistics.ts';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('of 1 to 100 at %d is the nearest rank, %d', (share, value) => {
    expect(percentile(hundred, share)).toBe(value);
  });

  it('of few values is one of them, never in between', () => {
    expect(percentile([10, 20, 90], 0.99)).toBe(90);
    expect(median([10, 20])).toBe(10);
  });

  it('of nothing is no number, so that no goal is met by it', () => {
    expect(percentile([], 0.99)).toBeNaN();
  });
});
