import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earliestStartMs, noteStart } from '../../../shared/core/reconcile/start-times.ts';
import type { StartTimes } from '../../../shared/core/reconcile/start-times.ts';

const after = (...starts: readonly number[]): StartTimes => starts.reduce(noteStart, []);

describe('the earliest start', () => {
  it.each<[string, readonly number[], number | undefined]>([
    ['of none is not known', [], undefined],
    ['of seven is not known', Array(7).fill(5000), undefined],
    ['of eight is the first of them', [9, 8, 7, 6, 5, 12, 11, 10].map((s) => s * 1000), 5000],
    ['of twenty leaves out the two that were fastest', [1, 2, ...Array<number>(18).fill(8000)], 8000],
    ['forgets what was long ago', [...Array<number>(10).fill(1000), ...Array<number>(32).fill(9000)], 9000],
    ['leaves out what no clock can mean', [...Array<number>(7).fill(5000), -3000, Number.NaN], undefined],
  ])('%s', (_sentence, starts, expected) => expect(earliestStartMs(after(...starts))).toBe(expected));

  it('is one of the starts, and no more than a tenth of them were sooner', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60_000), { minLength: 8, maxLength: 60 }), (starts) => {
        const last = starts.slice(-32);
        const earliest = earliestStartMs(after(...starts)) ?? Number.NaN;
        expect(last).toContain(earliest);
        expect(last.filter((ms) => ms < earliest).length).toBeLessThanOrEqual(last.length / 10);
      }),
    );
  });
});
