import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPrices, summarize } from '../../../shared/core/usage/summary.ts';
import type { UsageFigures, UsageGrouping, UsageQuery } from '../../../shared/core/usage/summary.ts';
import type { UsageRecord } from '../../../shared/core/usage/usage.ts';

const day = 86_400_000;
const midnight = Date.UTC(2026, 10, 23);
const hour = 3_600_000;

const record = (changes: Partial<UsageRecord> = {}): UsageRecord => ({
  cluster: 'c',
  node: 'aci-1',
  namespace: 'shop',
  name: 'cart-1',
  uid: 'cart-1',
  cpu: 2,
  memoryInGB: 4,
  startedAt: midnight,
  endedAt: midnight + hour,
  ...changes,
});
const query = (by: UsageGrouping, changes: Partial<UsageQuery> = {}): UsageQuery => ({
  by,
  from: midnight - 10 * day,
  to: midnight + 10 * day,
  prices: defaultPrices,
  ...changes,
});

describe('a summary of what pods used', () => {
  it('has seconds, core seconds, gigabyte seconds and money', () => {
    const { lines, total } = summarize([record()], query('namespace'));
    const figures = { pods: 1, seconds: 3600, cpuSeconds: 7200, memoryGBSeconds: 14_400 };
    expect(lines).toEqual([{ key: 'shop', ...figures, cost: total.cost }]);
    expect(total).toMatchObject(figures);
    expect(total.cost).toBeCloseTo(7200 * 0.0000135 + 14_400 * 0.0000015, 12);
  });

  it('by namespace or owner has the dearest first', () => {
    const records = [
      record({ namespace: 'a', name: 'p', uid: '1' }),
      record({ owner: { kind: 'Job', name: 'nightly' }, uid: '2' }),
      record({ owner: { kind: 'Job', name: 'nightly' }, uid: '3' }),
    ];
    expect(summarize(records, query('namespace')).lines.map(({ key, pods }) => [key, pods])).toEqual([
      ['shop', 2],
      ['a', 1],
    ]);
    expect(summarize(records, query('owner')).lines.map(({ key }) => key)).toEqual(['shop/Job/nightly', 'a/Pod/p']);
  });

  it("by owner has one line for all of a CronJob's runs, and takes no other number for a time", () => {
    const minutes = (at: number): string => String(Math.floor(at / 60_000));
    const run = (at: number, name: string): UsageRecord =>
      record({ owner: { kind: 'Job', name }, uid: name, startedAt: at + 70_000, endedAt: at + hour });
    const records = [
      run(midnight, `backup-${minutes(midnight)}`),
      run(midnight + day, `backup-${minutes(midnight + day)}`),
      run(midnight, 'import-20261123'),
      run(midnight, `import-${minutes(midnight - 3 * day)}`),
      record({ owner: { kind: 'ReplicaSet', name: `web-${minutes(midnight)}` }, uid: 'web' }),
    ];
    const lines = summarize(records, query('owner')).lines.map(({ key, pods }) => `${key}: ${pods}`);
    expect(lines.toSorted()).toEqual([
      'shop/CronJob/backup: 2',
      'shop/Job/import-20261123: 1',
      `shop/Job/import-${minutes(midnight - 3 * day)}: 1`,
      `shop/ReplicaSet/web-${minutes(midnight)}: 1`,
    ]);
  });

  it('by day cuts at UTC midnights', () => {
    const over = record({ startedAt: midnight - 2 * hour, endedAt: midnight + day + hour });
    expect(summarize([over], query('day')).lines.map(({ key, seconds }) => [key, seconds / 3600])).toEqual([
      ['2026-11-22', 2],
      ['2026-11-23', 24],
      ['2026-11-24', 1],
    ]);
  });

  it.each<[string, Partial<UsageRecord>]>([
    ['before the window', { endedAt: midnight }],
    ['after it', { startedAt: midnight + hour, endedAt: midnight + 2 * hour }],
    ['of no length', { startedAt: midnight + 1, endedAt: midnight + 1 }],
  ])('has nothing of a record %s', (_, changes) => {
    const { lines, total } = summarize(
      [record({ startedAt: midnight - hour, ...changes })],
      query('day', { from: midnight, to: midnight + hour }),
    );
    expect([lines, total.pods, total.cost]).toEqual([[], 0, 0]);
  });
});

const time = fc.integer({ min: midnight - 5 * day, max: midnight + 5 * day });
const records = fc.array(
  fc.record({
    pod: fc.integer({ min: 0, max: 5 }),
    namespace: fc.constantFrom('a', 'b'),
    job: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    centi: fc.integer({ min: 1, max: 400 }),
    deci: fc.integer({ min: 1, max: 160 }),
    times: fc.tuple(time, time),
  }),
  { maxLength: 20 },
);
type Drawn = typeof records extends fc.Arbitrary<infer T> ? T : never;
const drawn = (all: Drawn): readonly UsageRecord[] =>
  all.map(({ pod, namespace, job, centi, deci, times }) =>
    record({
      uid: String(pod),
      name: `p${pod}`,
      namespace,
      ...(job === undefined ? {} : { owner: { kind: 'Job', name: job } }),
      cpu: centi / 100,
      memoryInGB: deci / 10,
      startedAt: Math.min(...times),
      endedAt: Math.max(...times),
    }),
  );

const add = (figures: readonly UsageFigures[]): Record<string, number> => ({
  seconds: figures.reduce((sum, one) => sum + one.seconds, 0),
  cpuSeconds: figures.reduce((sum, one) => sum + one.cpuSeconds, 0),
  memoryGBSeconds: figures.reduce((sum, one) => sum + one.memoryGBSeconds, 0),
  cost: figures.reduce((sum, one) => sum + one.cost, 0),
});

const difference = (one: Record<string, number>, other: Record<string, number>): number =>
  Math.max(...Object.keys(one).map((name) => Math.abs((one[name] ?? Number.NaN) - (other[name] ?? Number.NaN))));

describe('sums of a summary', () => {
  it('are the same whatever they are grouped by', () => {
    fc.assert(
      fc.property(records, time, time, (all, one, other) => {
        const window = { from: Math.min(one, other), to: Math.max(one, other) };
        for (const by of ['namespace', 'owner', 'day'] as const) {
          const { lines, total } = summarize(drawn(all), query(by, window));
          expect(difference(add(lines), add([total]))).toBeLessThan(1e-4);
          expect(total).toEqual(summarize(drawn(all), query('namespace', window)).total);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('of a window cut in two add up', () => {
    fc.assert(
      fc.property(records, fc.tuple(time, time, time), (all, times) => {
        const [from = 0, cut = 0, to = 0] = times.toSorted((a, b) => a - b);
        const of = (start: number, end: number) => summarize(drawn(all), query('day', { from: start, to: end })).total;
        expect(difference(add([of(from, cut), of(cut, to)]), add([of(from, to)]))).toBeLessThan(1e-4);
      }),
      { numRuns: 100 },
    );
  });
});
