import { afterAll, describe, expect, it } from 'vitest';
import { killCases } from './points.ts';
import { judgeAll, part } from './tests.ts';

describe('a process that is killed before or after any of its calls', () => {
  let points = 0;
  let worlds = 0;
  afterAll(() => console.log(`${points} kill points, which leave ${worlds} different worlds`));

  it.each(part(0, 2))(
    '$name: $sentence',
    async (variant) => {
      const { points: all, cases } = await killCases(variant, { distinct: true });
      points += all;
      worlds += cases.length;
      expect(await judgeAll(cases)).toEqual([]);
    },
    300_000,
  );
});
