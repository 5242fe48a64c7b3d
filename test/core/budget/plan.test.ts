import { describe, expect, it } from 'vitest';
import { closeCharge, defaultArmLimits, planSpend, takeCharge } from '../../../shared/core/budget/plan.ts';
import type { SpendKind } from '../../../shared/core/budget/plan.ts';

const buckets = (spend: SpendKind): readonly string[] =>
  planSpend(spend, defaultArmLimits).charges.map((charge) => charge.bucket);
const reserveOf = (spend: SpendKind): number => {
  const [charge] = planSpend(spend, defaultArmLimits).charges;
  return charge?.kind === 'tokens' ? charge.reserve / charge.limits.capacity : Number.NaN;
};

describe('spending plan', () => {
  it.each<[SpendKind, readonly string[]]>([
    ['read-poll', ['reads']],
    ['read-watch', ['reads']],
    ['read-metrics', ['metrics', 'reads']],
    ['read-logs', ['logs', 'reads']],
    ['write-create', ['writes', 'create-requests']],
    ['write-retry', ['writes', 'create-requests']],
    ['write-stream', ['streams', 'writes']],
    ['write-word', ['words', 'writes']],
    ['write-end', ['writes']],
    ['delete', ['deletes', 'delete-requests']],
  ])('%s draws on %j', (spend, expected) => {
    expect(buckets(spend)).toEqual(expected);
  });

  it('keeps a fifth of the writes for ending groups', () => {
    expect(reserveOf('write-create')).toBeCloseTo(0.2, 2);
    expect(reserveOf('write-end')).toBe(0);
  });

  it('keeps a third of the creates for first tries: retries stop before them', () => {
    const [first, again] = (['write-create', 'write-retry'] as const).map((spend) =>
      planSpend(spend, defaultArmLimits).charges.find(({ kind }) => kind === 'window'),
    );
    if (first === undefined || again === undefined) throw new Error('both draw on a window');
    // A row of long ago, of which everything is known.
    const row = { tokens: 0, at: 0, slots: [] };
    const retried = takeCharge(row, again, { now: 1, wanted: 1_000 });
    expect(retried.granted).toBe(66);
    expect(takeCharge(retried.state, again, { now: 2, wanted: 1 }).granted).toBe(0);
    expect(takeCharge(retried.state, first, { now: 2, wanted: 1_000 }).granted).toBe(34);
  });

  it('keeps a fifth of the reads for those who create and end groups', () => {
    expect(reserveOf('read-watch')).toBeCloseTo(0.2, 2);
    expect(reserveOf('read-poll')).toBe(0);
  });

  it('lets logs take at most a fifth of the reads', () => {
    const [logs, reads] = planSpend('read-logs', defaultArmLimits).charges;
    if (logs?.kind !== 'tokens' || reads?.kind !== 'tokens') throw new Error('both are buckets of tokens');
    expect(logs.limits.capacity).toBeLessThanOrEqual(reads.limits.capacity / 5);
    expect(logs.limits.refillPerSecond).toBe(5);
  });

  it('lets metrics take at most a fifth of the reads, and none of those that are kept; nobody else waits for Azure Monitor', () => {
    const { charges, closes } = planSpend('read-metrics', defaultArmLimits);
    const [metrics, reads] = charges;
    if (metrics?.kind !== 'tokens' || reads?.kind !== 'tokens') throw new Error('both are buckets of tokens');
    expect(metrics.limits.capacity).toBeLessThanOrEqual(reads.limits.capacity / 5);
    expect(metrics.limits.refillPerSecond).toBe(5);
    expect(reads.reserve / reads.limits.capacity).toBeCloseTo(0.2, 2);
    expect(closes.bucket).toBe('metrics');
  });

  it('does not close the writes of those who end groups when creates are throttled', () => {
    expect(planSpend('write-create', defaultArmLimits).closes.bucket).toBe('create-requests');
  });

  it('lets streams take a fifth of the writes, and leaves the creates as much room as these leave the ends', () => {
    const { charges, closes } = planSpend('write-stream', defaultArmLimits);
    const [streams, writes] = charges;
    if (streams?.kind !== 'tokens' || writes?.kind !== 'tokens') throw new Error('both are buckets of tokens');
    expect(streams.limits.capacity).toBeLessThanOrEqual(writes.limits.capacity / 5);
    expect(streams.limits.refillPerSecond).toBe(2);
    expect(writes.reserve / writes.limits.capacity).toBeCloseTo(0.4, 2);
    // A 429 to somebody's exec keeps nobody from creating or ending a group.
    expect(closes.bucket).toBe('streams');
  });

  it('has words to agents wait for nobody’s exec, and leaves the ends theirs', () => {
    const { charges, closes } = planSpend('write-word', defaultArmLimits);
    const [words, writes] = charges;
    if (words?.kind !== 'tokens' || writes?.kind !== 'tokens') throw new Error('both are buckets of tokens');
    expect([words.limits.refillPerSecond, words.reserve]).toEqual([5, 0]);
    expect(writes.reserve / writes.limits.capacity).toBeCloseTo(0.2, 2);
    expect(closes.bucket).toBe('words');
  });

  it('believes no Retry-After longer than an hour, and never shortens one', () => {
    const { closes } = planSpend('write-create', defaultArmLimits);
    const closed = closeCharge({ tokens: 0, at: 0 }, closes, { now: 1000, retryAfterMs: 1e12 });
    expect(closed.closedUntil).toBe(3_601_000);
    expect(closeCharge(closed, closes, { now: 2000, retryAfterMs: 5000 }).closedUntil).toBe(3_601_000);
  });
});
