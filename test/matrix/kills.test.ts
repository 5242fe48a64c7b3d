import { afterAll, describe, expect, it } from 'vitest';
import { killCases } from './points.ts';
import { judgeAll, sample } from './tests.ts';
import { variants } from './variants.ts';

/** Of each variant; all of them are `npm run test:matrix -- --only kills`, half a minute, which the gate runs. */
const perVariant = 12;

describe('a process that is killed before or after any of its calls', () => {
  let worlds = 0;
  let lives = 0;
  afterAll(() => console.log(`${lives} of ${worlds} different worlds that a kill leaves`));

  it.each(variants)(
    '$name: $sentence',
    async (variant) => {
      const { cases } = await killCases(variant, { distinct: true });
      const drawn = sample(cases, perVariant, 1);
      worlds += cases.length;
      lives += drawn.length;
      expect(await judgeAll(drawn)).toEqual([]);
    },
    300_000,
  );
});
