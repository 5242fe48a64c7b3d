import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hear, joined, memoryFor, newMemory } from '../../../../shared/core/agent/reports/memory.ts';
import type { AgentMemory } from '../../../../shared/core/agent/reports/memory.ts';
import { isLater } from '../../../../shared/core/agent/reports/report.ts';
import type { AgentReport } from '../../../../shared/core/agent/reports/report.ts';
import { ended, key, memoryAfter, over, report, runs } from './fixtures.ts';

const bootOf = (boot: number): string => `019ad1c0ff${boot.toString(16).padStart(2, '0')}-00000001`;

/** Reports of two containers over some boots, each with a state of its own. */
const reports = fc
  .uniqueArray(
    fc.record({ container: fc.constantFrom('main', 'side'), boot: fc.nat(3), number: fc.integer({ min: 1, max: 6 }) }),
    { selector: ({ container, boot, number }) => `${container}/${boot}/${number}`, minLength: 1, maxLength: 20 },
  )
  .map((all) =>
    all.map(({ container, boot, number }): AgentReport => {
      const state = runs(boot * 10 + number, { restarts: boot * 10 + number });
      return report(state, { container, bootId: bootOf(boot), number });
    }),
  );

const latestOf = (all: readonly AgentReport[], container: string): AgentReport | undefined =>
  all
    .filter((one) => one.container === container)
    .reduce<AgentReport | undefined>(
      (latest, one) => (latest === undefined || isLater(one, latest) ? one : latest),
      undefined,
    );

const statesOf = ({ containers }: AgentMemory) =>
  Object.fromEntries(Object.entries(containers).map(([name, { state }]) => [name, state]));

describe('what is remembered of reports', () => {
  it('is the latest of each container, however often and in whatever order they come', () =>
    fc.assert(
      fc.property(reports, fc.infiniteStream(fc.nat()), (all, chance) => {
        const shuffled = [...all, ...all]
          .map((one) => ({ one, at: chance.next().value }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one);
        const memory = memoryAfter(shuffled, ['main', 'side']);
        for (const name of ['main', 'side']) expect(memory.containers[name]?.state).toEqual(latestOf(all, name)?.state);
      }),
    ));

  it('is the same where two processes hear half of them each', () =>
    fc.assert(
      fc.property(reports, fc.nat(20), (all, cut) => {
        const left = memoryAfter(all.slice(0, cut), ['main', 'side']);
        const right = memoryAfter(all.slice(cut), ['main', 'side']);
        const both = joined(left, right);
        expect(both && statesOf(both)).toEqual(statesOf(memoryAfter(all, ['main', 'side'])));
        expect(joined(right, left) && statesOf(joined(right, left) ?? left)).toEqual(both && statesOf(both));
      }),
    ));

  it('counts starts of the container', () => {
    const again = (boot: number, number: number) => report(runs(boot), { bootId: bootOf(boot), number });
    expect(
      memoryAfter([again(1, 1), again(1, 2), again(2, 1), again(1, 9), again(4, 1)]).containers['main']?.boots,
    ).toBe(3);
  });

  it('is not changed by what is no later', () => {
    const memory = memoryAfter([report(runs(1), { number: 5 })]);
    expect(hear(memory, report(over(ended(1, 1, 2)), { number: 5 }), 1)).toBeUndefined();
    expect(hear(memory, report(over(ended(1, 1, 2)), { number: 4 }), 1)).toBeUndefined();
    expect(hear(memory, report(over(ended(1, 1, 2)), { bootId: '018', number: 9 }), 1)).toBeUndefined();
  });

  it('has termination messages of 12 KiB together at most, none cut within a character', () => {
    const message = 'ü'.repeat(2047);
    const heard = (containers: number) =>
      hear(newMemory(key), report(over(ended(1, 1, 2, { message }))), containers)?.containers['main']?.state.ended
        ?.message;
    expect(heard(1)).toBe(message);
    expect(Buffer.byteLength(heard(4) ?? '')).toBe(3072);
    expect(Buffer.byteLength(heard(13) ?? '')).toBe(944);
    expect(heard(13)).toMatch(/^ü+$/);
  });

  it('begins anew with another key, and stays with the same one', () => {
    const memory = memoryAfter([report(runs(1))]);
    expect(memoryFor(memory, key)).toBe(memory);
    expect(memoryFor(memory, { ...key, nonce: 'n2' }, ['main'])).toEqual(newMemory({ ...key, nonce: 'n2' }, ['main']));
    expect(memoryFor(memory, undefined)).toBeUndefined();
    expect(joined(newMemory({ ...key, nonce: 'n2' }), memory)).toEqual(newMemory({ ...key, nonce: 'n2' }));
  });
});
