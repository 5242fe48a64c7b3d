import { afterAll, describe, expect, it } from 'vitest';
import { pairAt, pairCount, pairGrid } from './points.ts';
import { judgeAll, sample } from './tests.ts';
import { variants } from './variants.ts';

/** Of each variant; all of them by `npm run test:matrix`. */
const perVariant = 5;

describe('one process killed, the other frozen', () => {
  let points = 0;
  let lives = 0;
  afterAll(() => console.log(`${lives} of ${points} pairs`));

  it.each(variants)(
    '$name: $sentence',
    async (variant) => {
      const grid = await pairGrid(variant, { onlyPod: true });
      const all = Array.from({ length: pairCount(grid) }, (_, index) => index);
      const drawn = sample(all, perVariant, 11).map((index) => pairAt(grid, index));
      points += all.length;
      lives += drawn.length;
      expect(await judgeAll(drawn)).toEqual([]);
    },
    300_000,
  );
});
