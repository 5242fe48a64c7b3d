import { describe, expect, it } from 'vitest';
import { billedMs, monthOf } from './price.ts';

describe('what Flex bills', () => {
  it.each([
    [150, 1000],
    [1000, 1000],
    [1001, 1100],
    [2340, 2400],
  ])('an execution of %d ms as %d ms', (durationMs, billed) => {
    expect(billedMs(durationMs)).toBe(billed);
  });

  it.each([
    { every: '10 s', executions: 12, perMonth: 262_656, gbSeconds: 131_328, beyond: 0.82, without: 3.52 },
    { every: '15 s', executions: 8, perMonth: 175_104, gbSeconds: 87_552, beyond: 0, without: 2.35 },
    { every: '30 s', executions: 4, perMonth: 87_552, gbSeconds: 43_776, beyond: 0, without: 1.17 },
  ])('a timer every $every on 512 MB', ({ executions, perMonth, gbSeconds, beyond, without }) => {
    const month = monthOf(
      Array.from({ length: executions }, () => 150),
      120,
      0.5,
    );
    expect(month.executions).toBeCloseTo(perMonth, 3);
    expect(month.gbSeconds).toBeCloseTo(gbSeconds, 3);
    expect(month.usdBeyondGrant).toBeCloseTo(beyond, 2);
    expect(month.usdWithoutGrant).toBeCloseTo(without, 2);
  });

  it('each execution by its own time, from 1 s on', () => {
    const month = monthOf([100, 2500], 30.4 * 86_400, 2);
    expect(month).toMatchObject({ executions: 2, gbSeconds: 7, usdBeyondGrant: 0 });
  });
});
