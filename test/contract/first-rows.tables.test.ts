import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { writeFirstRows } from '../../shared/adapters/tables/first-rows.ts';
import { createTableStore, openInstallationTable } from '../../shared/adapters/tables/table-store.ts';
import { createBudgets } from '../../shared/adapters/budgets/budgets.ts';
import { defaultArmLimits } from '../../shared/core/budget/plan.ts';
import { ok } from '../../shared/core/fault.ts';

const connectionString = inject('tableConnectionString');
const silent = { info: () => undefined, warn: () => undefined };
const nodes = ['aci-1', 'aci-2'].map((node) => ({ cluster: '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a77', node }));

function open() {
  const options = { installation: `test-${randomUUID().slice(0, 13)}`, log: silent };
  return {
    table: openInstallationTable({ connectionString }, options),
    store: createTableStore({ connectionString }, options),
  };
}

describe('the first rows in Tables (Azurite)', () => {
  it('make the table, and the app finds a marker that is a minute old and budgets that are open', async () => {
    const { table, store } = open();
    expect(await writeFirstRows(table, { nodes, limits: defaultArmLimits })).toEqual(ok(undefined));
    for (const node of nodes) {
      const [birth, now] = [await store.getBirth(node), await store.now()];
      if (!birth.ok || !now.ok) throw new Error('the store answers');
      expect(now.value - birth.value.bornAt).toBeGreaterThan(55_000);
      expect(now.value - birth.value.bornAt).toBeLessThan(75_000);
    }
    const budgets = createBudgets(store, defaultArmLimits, { chunk: 4, log: silent });
    const taken = await Promise.all(Array.from({ length: 20 }, () => budgets.take('write-create')));
    expect(taken.filter((result) => result.ok)).toHaveLength(20);
  });

  it('leave what is there', async () => {
    const { table, store } = open();
    const closed = { tokens: 0, at: 1, closedUntil: 2 };
    await store.upsertBucket('reads', closed, undefined);
    expect(await writeFirstRows(table, { nodes, limits: defaultArmLimits })).toEqual(ok(undefined));
    expect(await store.getBucket('reads')).toMatchObject({ value: { value: closed } });
    const births = await Promise.all(nodes.map((node) => store.getBirth(node)));
    expect(await writeFirstRows(table, { nodes, limits: undefined })).toEqual(ok(undefined));
    expect(await Promise.all(nodes.map((node) => store.getBirth(node)))).toEqual(births);
  });
});
