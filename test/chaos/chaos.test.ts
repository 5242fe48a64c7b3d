import { describe, expect, it } from 'vitest';
import { runChaos, settleWithinMs } from './run.ts';

const pods = 200;
/** Each takes some seconds; a busy machine must not make them fail. */
const timeoutMs = 120_000;

describe('a tenth of all calls goes wrong', () => {
  it.each([1, 2])(
    'seed %i: nothing is lost, leaked or run twice, and all comes to rest',
    async (seed) => {
      const report = await runChaos({ seed, pods });
      expect(report.violations, `npm run chaos -- --seed ${seed} --pods ${pods} --rate 0.1`).toEqual([]);
      expect(report.settledAfterMs).toBeLessThan(settleWithinMs);
      expect(report.faults.size).toBeGreaterThan(40);
    },
    timeoutMs,
  );

  it(
    'the same seed gives the same run, another seed another',
    async () => {
      const [first, again, other] = [
        await runChaos({ seed: 4, pods: 20 }),
        await runChaos({ seed: 4, pods: 20 }),
        await runChaos({ seed: 5, pods: 20 }),
      ];
      expect(again.digest).toBe(first.digest);
      expect(other.digest).not.toBe(first.digest);
    },
    timeoutMs,
  );
});
