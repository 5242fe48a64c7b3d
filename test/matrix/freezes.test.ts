import { afterAll, describe, expect, it } from 'vitest';
import { blinkMs, shortFreezeMs } from './fault.ts';
import { freezeCases, freezeKinds } from './points.ts';
import { judgeAll, sample } from './tests.ts';
import { findVariant, variants } from './variants.ts';

/** Of each kind of freeze, in each variant. */
const perKind = 1;

describe('a process that is frozen at any of its calls, and then goes on', () => {
  let points = 0;
  let lives = 0;
  afterAll(() => console.log(`${lives} of ${points} freezes`));

  it.each(variants)(
    '$name: $sentence',
    async (variant) => {
      for (const [index, kind] of freezeKinds.entries()) {
        const cases = await freezeCases(variant, kind, { onlyPod: false });
        const drawn = sample(cases, perKind, index + 1);
        points += cases.length;
        lives += drawn.length;
        expect(await judgeAll(drawn)).toEqual([]);
      }
    },
    300_000,
  );

  it.each([
    ['no-relay', 'its lock is over and the sweep is not', { forMs: shortFreezeMs, isAlone: true }],
    ['deleted-creating', 'the pod has ended and its row is forgotten meanwhile', { forMs: blinkMs }],
  ] as const)(
    '%s, at every call of the pod: %s',
    async (name, _why, kind) => {
      const variant = findVariant(name);
      if (variant === undefined) throw new Error(`no variant ${name}`);
      const cases = await freezeCases(variant, kind, { onlyPod: true });
      lives += cases.length;
      expect(await judgeAll(cases)).toEqual([]);
    },
    300_000,
  );
});
