import { describe, expect, it } from 'vitest';
import { createMemoryTable } from '../../../infra/local/sim/memory-table.ts';
import { nodePartition } from '../../../shared/adapters/tables/keys.ts';
import type { RowTable } from '../../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../../shared/adapters/tables/state-store.ts';
import type { UsageRecord } from '../../../shared/core/usage/usage.ts';
import { fail } from '../../../shared/core/fault.ts';
import { makePod, makeRow } from '../../fixtures/pods.ts';

const node = { cluster: 'c', node: 'aci-1' };
const row = makeRow(makePod(), { dueAt: 1000, usage: { cpu: 1, memoryInGB: 1, earlier: [] } });
const record: UsageRecord = {
  ...node,
  namespace: row.namespace,
  name: row.name,
  uid: row.uid,
  cpu: 1,
  memoryInGB: 1,
  startedAt: 1,
  endedAt: 2,
};
const silent = { info: () => undefined, warn: () => undefined };

/** A store that reports each request, and may lose the answer of one. */
async function open(lost?: 'submit' | 'remove') {
  const memory = createMemoryTable({ now: () => 5 });
  const requests: string[] = [];
  const losing = { now: lost };
  const tell = <T extends 'submit' | 'remove'>(name: T, answer: Awaited<ReturnType<RowTable[T]>>) => {
    requests.push(name);
    if (losing.now !== name) return answer;
    losing.now = undefined;
    return fail({ kind: 'transient', message: 'the answer is lost' });
  };
  const table: RowTable = {
    ...memory,
    submit: async (...args) => tell('submit', await memory.submit(...args)),
    remove: async (...args) => tell('remove', await memory.remove(...args)),
  };
  const plain = createStateStore(memory, silent);
  const inserted = await plain.upsertPod(node, row, { previous: undefined });
  if (!inserted.ok) throw new Error(inserted.fault.message);
  return { store: createStateStore(table, silent), plain, memory, previous: inserted.value, requests };
}

describe('a row that goes', () => {
  it('costs two requests, with the ledger as without', async () => {
    const without = await open();
    await without.store.deletePod(node, without.previous);
    const withLedger = await open();
    await withLedger.store.deletePod(node, withLedger.previous, [record]);
    expect(without.requests).toEqual(['remove', 'remove']);
    expect(withLedger.requests).toEqual(['submit', 'remove']);
    expect(without.memory.readPartition(nodePartition(node))).toEqual([]);
  });

  it.each(['submit', 'remove'] as const)('leaves one record when the answer of its %s is lost', async (lost) => {
    const { store, plain, previous } = await open(lost);
    expect(await store.deletePod(node, previous, [record])).toMatchObject({ ok: false });
    const left = await plain.getPod(node, row.uid);
    const later = left.ok ? left.value : undefined;
    // What a later reconcile finds has nothing left for the ledger.
    expect(later?.value.usage).toBeUndefined();
    if (later !== undefined) await plain.deletePod(node, later, []);
    expect(await plain.listUsage(node, { from: 0, to: 10 })).toEqual({ ok: true, value: [record] });
    expect(await plain.getPod(node, row.uid)).toEqual({ ok: true, value: undefined });
  });
});
