import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { createBudgets } from '../../shared/adapters/budgets/budgets.ts';
import { createMemoryStore } from '../../infra/local/sim/memory-store.ts';
import { createTableStore } from '../../shared/adapters/tables/table-store.ts';
import { defaultArmLimits } from '../../shared/core/budget/plan.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { BudgetObservation, Budgets, Spend } from '../../shared/ports/budgets.ts';
import type { StateStore } from '../../shared/ports/state-store.ts';

const start = 1_700_000_000_000;
const silent = { info: () => undefined, warn: () => undefined };

/** Time does not move until a test moves it. */
function world() {
  let now = start;
  const store = createMemoryStore({ now: () => now });
  return {
    store,
    advance: (ms: number) => void (now += ms),
    now: () => now,
    instance: (over: StateStore = store, chunk = 10): Budgets =>
      createBudgets(over, defaultArmLimits, { chunk, log: silent, monotonicMs: () => now - start }),
  };
}

async function takeMany(budgets: Budgets, spend: Spend, count: number): Promise<number> {
  const results = await Promise.all(Array.from({ length: count }, () => budgets.take(spend)));
  return results.filter((result) => result.ok).length;
}

async function knowledge(store: StateStore): Promise<void> {
  for (const name of ['create-requests', 'delete-requests'])
    await store.upsertBucket(name, { tokens: 0, at: start, slots: [] }, undefined);
  for (const name of ['reads', 'logs', 'writes', 'deletes'])
    await store.upsertBucket(name, { tokens: 1000, at: start }, undefined);
}

describe('budgets', () => {
  it('are empty when reborn, and let the first pod start within seconds', async () => {
    const { instance, advance } = world();
    const budgets = instance();
    const first = await budgets.take('write-create');
    expect(first).toMatchObject({ ok: false, fault: { kind: 'throttled' } });
    expect(first.ok || first.fault.kind !== 'throttled' ? Number.NaN : first.fault.retryAfterMs).toBeLessThan(5000);
    advance(5000);
    expect((await budgets.take('write-create')).ok).toBe(true);
    expect((await budgets.take('write-create')).ok).toBe(false);
    await budgets.report('write-create', { windowRemaining: 99 });
    advance(5000);
    expect(await takeMany(budgets, 'write-create', 20)).toBe(20);
  });

  it('are all born with the first that is wanted, so that none starts with its first use', async () => {
    const { instance, advance } = world();
    const budgets = instance();
    await budgets.take('read-poll');
    advance(60_000);
    for (const spend of ['write-create', 'read-logs', 'write-end', 'delete'] as const)
      expect(await budgets.take(spend)).toEqual({ ok: true, value: undefined });
  });

  it('are shared: what one instance takes another cannot', async () => {
    const { instance, store } = world();
    await knowledge(store);
    const one = instance();
    const two = instance();
    const taken = (await takeMany(one, 'write-create', 70)) + (await takeMany(two, 'write-create', 70));
    expect(taken).toBe(100);
  });

  it('keep a fifth of the writes for ending groups', async () => {
    const { instance, store } = world();
    await knowledge(store);
    await store.upsertBucket(
      'writes',
      { tokens: 30, at: start },
      await store.getBucket('writes').then((r) => (r.ok ? r.value : undefined)),
    );
    expect(await takeMany(instance(), 'write-create', 10)).toBe(0);
    expect(await takeMany(instance(), 'write-end', 40)).toBe(30);
  });

  it('let logs have a fifth of the reads, and polls the rest', async () => {
    const { instance, store } = world();
    await knowledge(store);
    const logs = await takeMany(instance(), 'read-logs', 300);
    const looks = await takeMany(instance(), 'read-poll', 300);
    expect(logs).toBeLessThanOrEqual(50);
    expect(looks).toBeGreaterThanOrEqual(logs * 3);
    expect(logs + looks).toBeLessThanOrEqual(250);
  });

  it('lose unused permits with the process that held them, and after a second and a half', async () => {
    const { instance, store, advance } = world();
    await knowledge(store);
    const one = instance(store, 187);
    expect((await one.take('read-poll')).ok).toBe(true);
    expect(await takeMany(instance(), 'read-poll', 5)).toBe(0);
    expect(await takeMany(one, 'read-poll', 5)).toBe(5);
    advance(1501);
    expect(await takeMany(one, 'read-poll', 200)).toBe(38);
  });

  it('are taken by the chunk, by larger ones while they are used up, and by small ones again after a pause', async () => {
    const { instance, store, advance } = world();
    await knowledge(store);
    let writes = 0;
    const counted: StateStore = {
      ...store,
      upsertBucket: (...given) => {
        writes += 1;
        return store.upsertBucket(...given);
      },
    };
    const left = async (): Promise<number> => {
      const row = await store.getBucket('reads');
      return row.ok ? (row.value?.value.tokens ?? Number.NaN) : Number.NaN;
    };
    const one = instance(counted, 4);
    for (let taken = 0; taken < 64; taken += 1) expect(await takeMany(one, 'read-poll', 1)).toBe(1);
    // 4, 8, and then what comes back in six tenths of a second.
    expect([writes, await left()]).toEqual([6, 187.5 - 4 - 8 - 4 * 15]);
    advance(2_000);
    const before = await left();
    expect(await takeMany(one, 'read-poll', 1)).toBe(1);
    expect(before + 50 - (await left())).toBe(4);
  });

  it('give each who is refused a turn of its own, as the bucket fills up, and let the more urgent come at once', async () => {
    const { instance, store } = world();
    await knowledge(store);
    const one = instance();
    await takeMany(one, 'read-watch', 187);
    const waits: number[] = [];
    for (let index = 0; index < 30; index += 1) {
      const refused = await one.take('read-watch');
      if (!refused.ok && refused.fault.kind === 'throttled') waits.push(refused.fault.retryAfterMs);
    }
    // Twenty-five a second.
    expect(waits.slice(1).map((ms, index) => ms - (waits[index] ?? 0))).toEqual(Array(waits.length - 1).fill(40));
    expect(waits.length).toBeGreaterThan(20);
    await takeMany(one, 'read-poll', 187);
    const urgent = await one.take('read-poll');
    expect(urgent.ok || urgent.fault.kind !== 'throttled' ? Number.NaN : urgent.fault.retryAfterMs).toBeLessThan(50);
    // No turn is farther than a minute.
    for (let index = 0; index < 2000; index += 1) await one.take('read-watch');
    const last = await one.take('read-watch');
    expect(last.ok || last.fault.kind !== 'throttled' ? Number.NaN : last.fault.retryAfterMs).toBe(60_000);
  });

  it('keep a permit for who has something to do before', async () => {
    const { instance, store, advance } = world();
    await knowledge(store);
    const one = instance();
    const kept = await one.reserve('write-end');
    expect(await takeMany(one, 'write-end', 200)).toBe(174);
    if (!kept.ok) throw new Error('nothing was kept');
    kept.value.release();
    kept.value.release();
    expect(await takeMany(one, 'write-end', 5)).toBe(1);
    const refused = await one.reserve('write-end');
    expect(refused).toMatchObject({ ok: false, fault: { kind: 'throttled' } });
    advance(1_000);
    const late = await one.reserve('write-end');
    if (!late.ok) throw new Error('nothing was kept');
    advance(60_000);
    late.value.release();
    // It has expired, and is not missed.
    expect(await takeMany(one, 'write-end', 1)).toBe(1);
  });

  it('keep nothing of ACI’s windows, and say when they are known to be used up', async () => {
    const { instance, store } = world();
    await knowledge(store);
    const one = instance();
    for (let index = 0; index < 10; index += 1) await one.reserve('write-create');
    expect(await store.getBucket('create-requests')).toMatchObject({ ok: true, value: { value: { slots: [] } } });
    await one.report('write-create', { retryAfterMs: 30_000 });
    // Not known yet to this process's permits: the next that is taken says.
    expect((await one.reserve('write-create')).ok).toBe(true);
    expect((await one.take('write-create')).ok).toBe(false);
    expect(await one.reserve('write-create')).toMatchObject({ ok: false, fault: { kind: 'throttled' } });
  });

  it('are closed for everybody by a 429, for the time it names', async () => {
    const { instance, store, advance } = world();
    await knowledge(store);
    const one = instance();
    const two = instance();
    expect((await two.take('delete')).ok).toBe(true);
    await one.report('delete', { retryAfterMs: 20_000 });
    advance(4000);
    expect(await two.take('delete')).toMatchObject({ ok: false, fault: { kind: 'throttled', retryAfterMs: 16_000 } });
    expect((await two.take('write-create')).ok).toBe(true);
    advance(16_000);
    expect((await two.take('delete')).ok).toBe(true);
  });

  it('believe a lower count of the server', async () => {
    const { instance, store } = world();
    await knowledge(store);
    await instance().report('write-create', { remaining: 199, windowRemaining: 3 });
    expect(await takeMany(instance(), 'write-create', 10)).toBe(3);
    await instance().report('read-poll', { remaining: 4 });
    expect(await takeMany(instance(), 'read-poll', 10)).toBe(4);
  });

  it('grant nothing while the rows cannot be had, and a report does not fail', async () => {
    const { store, instance } = world();
    const down = async () => fail({ kind: 'transient', message: 'down' });
    const budgets = instance({ ...store, getBucket: down, upsertBucket: down });
    expect(await budgets.take('read-poll')).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    await expect(budgets.report('read-poll', { retryAfterMs: 1000 })).resolves.toBeUndefined();
  });

  it('open by accepted calls where ARM reports no counts: twenty pods within two seconds of a rebirth', async () => {
    const { instance, advance } = world();
    const arm = createArm({ left: 100 });
    const instances = [instance(), instance()];
    await instances[0]?.take('read-poll');
    advance(60_000);
    const sent = await createPods(instances, { pods: 20, seconds: 10, arm, advance });
    expect(sent.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(sent.findLastIndex((count) => count > 0) * stepMs).toBeLessThanOrEqual(2000);
    expect(arm.refused).toBe(0);
  });

  it('send a bounded handful to an ARM that is used up, and wait as long as it says', async () => {
    const { instance, advance } = world();
    const arm = createArm({ left: 0, retryAfterMs: 30_000 });
    const instances = [instance(), instance(), instance()];
    await instances[0]?.take('read-poll');
    advance(60_000);
    await createPods(instances, { pods: 20, seconds: 300, arm, advance });
    // One for each time that ARM named.
    expect(arm.refused).toBeLessThanOrEqual(10);
    expect(arm.refused).toBeGreaterThanOrEqual(5);
  });

  it('believe a 429 more than what was accepted before', async () => {
    const { instance, advance } = world();
    const arm = createArm({ left: 30, retryAfterMs: 5000 });
    const instances = [instance(), instance()];
    await instances[0]?.take('read-poll');
    advance(60_000);
    await createPods(instances, { pods: 60, seconds: 60, arm, advance });
    expect(arm.accepted).toBe(30);
    // One burst that found out, and one call for each five seconds.
    expect(arm.refused).toBeLessThanOrEqual(30 + 60 / 5);
  });

  it('are not opened by what one instance alone knows: what it was reported is in the row for the others', async () => {
    const { instance, advance } = world();
    const [one, two] = [instance(), instance()];
    await one.take('read-poll');
    advance(60_000);
    expect(await takeMany(one, 'write-create', 5)).toBe(1);
    expect(await takeMany(two, 'write-create', 5)).toBe(0);
    await one.report('write-create', { accepted: true });
    advance(500);
    expect(await takeMany(two, 'write-create', 5)).toBe(4);
  });

  it('cost no more writes for what is accepted than for what is taken', async () => {
    const { store, instance, advance } = world();
    await instance().take('read-poll');
    advance(60_000);
    let writes = 0;
    const budgets = instance({
      ...store,
      upsertBucket: (name, ...row) => {
        if (name === 'create-requests') writes += 1;
        return store.upsertBucket(name, ...row);
      },
    });
    /** Writes of the row for `count` creates, one after the other. */
    const cost = async (count: number, reported: BudgetObservation): Promise<number> => {
      const before = writes;
      for (let index = 0; index < count; index += 1) {
        advance(1000);
        expect((await budgets.take('write-create')).ok).toBe(true);
        await budgets.report('write-create', reported);
      }
      return writes - before;
    };
    // The first four find little left, and report at once what was accepted.
    expect(await cost(40, { accepted: true })).toBeLessThanOrEqual(40 + 4);
    advance(3_700_000);
    // Nothing is presumed any more.
    expect(await cost(20, { accepted: true })).toBe(20);
    expect(await cost(20, { windowRemaining: 100 })).toBe(20);
  });

  it('never exceed what ARM and ACI allow, with many instances, killed at random', async () => {
    const spends = ['read-poll', 'read-metrics', 'read-logs', 'write-create', 'write-end', 'delete'] as const;
    const take = fc.record({
      instance: fc.nat(3),
      spend: fc.constantFrom(...spends),
      count: fc.integer({ min: 1, max: 90 }),
    });
    const step = fc.record({
      afterMs: fc.oneof(fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 0, max: 120_000 })),
      takes: fc.array(take, { maxLength: 4 }),
      kill: fc.option(fc.nat(3)),
      remaining: fc.option(fc.integer({ min: 0, max: 300 })),
    });
    const scenario = fc.record({ reborn: fc.boolean(), steps: fc.array(step, { maxLength: 25 }) });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ reborn, steps }) => {
        const { store, instance, advance, now } = world();
        if (!reborn) await knowledge(store);
        // Each instance reads the Table service's time a little differently.
        const skewed = (index: number): StateStore => ({ ...store, now: async () => ok(now() + index * 300) });
        const instances = [0, 1, 2, 3].map((index) => instance(skewed(index)));
        const uses: { readonly at: number; readonly spend: Spend }[] = [];
        for (const { afterMs, takes, kill, remaining } of steps) {
          advance(afterMs);
          if (kill !== null) instances[kill] = instance(skewed(kill));
          await Promise.all(
            takes.map(async ({ instance, spend, count }) => {
              const granted = await takeMany(instances[instance] ?? world().instance(), spend, count);
              for (let index = 0; index < granted; index += 1) uses.push({ at: now(), spend });
              if (remaining !== null)
                await instances[instance]?.report(spend, { remaining, windowRemaining: remaining });
              else if (granted > 0) await instances[instance]?.report(spend, { accepted: true });
            }),
          );
        }
        expect(excesses(uses)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

const stepMs = 100;

/** An ARM that reports no counts. */
function createArm({ left, retryAfterMs = 10_000 }: { readonly left: number; readonly retryAfterMs?: number }) {
  const seen = { accepted: 0, refused: 0 };
  return {
    get accepted() {
      return seen.accepted;
    },
    get refused() {
      return seen.refused;
    },
    create: (): BudgetObservation => {
      if (seen.accepted === left) {
        seen.refused += 1;
        return { retryAfterMs };
      }
      seen.accepted += 1;
      return { accepted: true };
    },
  };
}

/** Pods that come at once, each tried again when it was asked to; ARM answers after two steps. How many were sent in each step. */
async function createPods(
  instances: readonly Budgets[],
  {
    pods,
    seconds,
    arm,
    advance,
  }: {
    readonly pods: number;
    readonly seconds: number;
    readonly arm: ReturnType<typeof createArm>;
    readonly advance: (ms: number) => void;
  },
): Promise<readonly number[]> {
  type Pod = { dueAt: number; sentAt?: number };
  const waiting: Pod[] = Array.from({ length: pods }, () => ({ dueAt: 0 }));
  const steps: number[] = [];
  for (let now = 0; now <= seconds * 1000; now += stepMs) {
    let sent = 0;
    for (const pod of waiting.filter(({ sentAt }) => sentAt !== undefined && sentAt + 2 * stepMs <= now)) {
      const reported = arm.create();
      await instances[waiting.indexOf(pod) % instances.length]?.report('write-create', reported);
      if (reported.accepted === true) waiting.splice(waiting.indexOf(pod), 1);
      else waiting.splice(waiting.indexOf(pod), 1, { dueAt: now + (reported.retryAfterMs ?? 0) });
    }
    await Promise.all(
      waiting.map(async (pod, index) => {
        if (pod.sentAt !== undefined || pod.dueAt > now) return;
        const taken = await instances[index % instances.length]?.take('write-create');
        if (taken?.ok === true) {
          pod.sentAt = now;
          sent += 1;
        } else if (taken?.fault.kind === 'throttled') pod.dueAt = now + taken.fault.retryAfterMs;
      }),
    );
    steps.push(sent);
    advance(stepMs);
  }
  return steps;
}

/** ARM's own arithmetic over the requests that were sent: full buckets at first, and no window over its limit. */
function excesses(uses: readonly { readonly at: number; readonly spend: Spend }[]): readonly string[] {
  const found: string[] = [];
  const meters = [
    { spends: ['read-poll', 'read-metrics', 'read-logs'], ...defaultArmLimits.reads },
    { spends: ['write-create', 'write-end'], ...defaultArmLimits.writes },
    { spends: ['delete'], ...defaultArmLimits.deletes },
    { spends: ['read-metrics'], capacity: 50, refillPerSecond: 5 },
    { spends: ['read-logs'], capacity: 50, refillPerSecond: 5 },
  ];
  for (const { spends, capacity, refillPerSecond } of meters) {
    let tokens = capacity;
    let last = start;
    for (const { at } of uses.filter((use) => spends.includes(use.spend))) {
      tokens = Math.min(capacity, tokens + ((at - last) / 1000) * refillPerSecond) - 1;
      last = at;
      if (tokens < 0) found.push(`${spends.join()} at ${at - start}`);
    }
  }
  for (const spend of ['write-create', 'delete']) {
    const times = uses.filter((use) => use.spend === spend).map((use) => use.at);
    for (const [windowMs, limit] of [
      [300_000, 100],
      [3_600_000, 300],
    ] as const)
      for (const from of times) {
        const count = times.filter((at) => at >= from && at <= from + windowMs).length;
        if (count > limit) found.push(`${count} of ${spend} in ${windowMs} ms`);
      }
  }
  return found;
}

describe('budgets in Tables (Azurite)', () => {
  it('are shared by instances that take at the same time', async () => {
    const options = { installation: `test-${randomUUID()}`, log: silent };
    const open = () => createTableStore({ connectionString: inject('tableConnectionString') }, options);
    await open().upsertBucket('create-requests', { tokens: 0, at: Date.now(), slots: [] }, undefined);
    await open().upsertBucket('writes', { tokens: 200, at: Date.now() }, undefined);
    const instances = [1, 2, 3].map(() => createBudgets(open(), defaultArmLimits, { chunk: 10, log: silent }));
    const taken = await Promise.all(instances.map((budgets) => takeMany(budgets, 'write-create', 50)));
    const total = taken.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(20);
    expect(total).toBeLessThanOrEqual(100);
  });
});
