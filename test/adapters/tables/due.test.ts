import { describe, expect, it } from 'vitest';
import { createMemoryTable } from '../../../infra/local/sim/memory-table.ts';
import { podRowKey } from '../../../shared/adapters/tables/keys.ts';
import { createStateStore } from '../../../shared/adapters/tables/state-store.ts';
import { fail } from '../../../shared/core/fault.ts';
import { newPodRow } from '../../../shared/core/reconcile/pod-row.ts';

const node = { cluster: 'c', node: 'aci-1' };
const silent = { info: () => undefined, warn: () => undefined };

describe('due rows of which one cannot be read', () => {
  it('are all answered, that one too', async () => {
    const table = createMemoryTable({ now: () => 10_000 });
    const healthy = createStateStore(table, silent);
    for (const uid of ['a', 'b', 'c']) {
      const row = { ...newPodRow({ namespace: 'default', name: uid, uid, group: uid }), dueAt: 5_000 };
      await healthy.upsertPod(node, row, { previous: undefined });
    }
    const ailing = createStateStore(
      {
        ...table,
        get: async (partition, rowKey) =>
          rowKey === podRowKey('b') ? fail({ kind: 'transient', message: 'reset' }) : table.get(partition, rowKey),
      },
      silent,
    );
    const due = await ailing.listDue(node, 10_000, 10);
    expect(due.ok && due.value.map(({ uid, row }) => [uid, row?.value.name])).toEqual([
      ['a', 'a'],
      ['b', undefined],
      ['c', 'c'],
    ]);
  });
});
