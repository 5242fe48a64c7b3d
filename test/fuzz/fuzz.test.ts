import { describe, expect, it } from 'vitest';
import { runTarget } from './run.ts';
import { targets } from './targets.ts';

/** A share of `npm run fuzz`, which has all: the same cases each time. */
describe('what nobody should send', () => {
  it.each(targets.filter(({ testCases }) => testCases > 0).map((target) => ({ name: target.name, target })))(
    'is refused or borne: $name',
    async ({ target }) => {
      const report = await runTarget(target, { seed: 7, from: 0, cases: target.testCases, mostFailures: 1 });
      expect(report.failures).toEqual([]);
      expect(report.cases).toBe(target.testCases);
    },
  );
});
