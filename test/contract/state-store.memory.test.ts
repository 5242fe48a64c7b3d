import { createMemoryStore } from '../../infra/local/sim/memory-store.ts';
import { dueKey, nodePartition, podRowKey } from '../../shared/adapters/tables/keys.ts';
import { describeStateStore } from './state-store.suite.ts';

describeStateStore('in memory', async () => {
  let warnings = 0;
  // Each reading of the clock is a millisecond later, so that a birth after a loss has another time.
  let elapsed = 0;
  const store = createMemoryStore({
    now: () => Date.now() + (elapsed += 1),
    log: { info: () => undefined, warn: () => void (warnings += 1) },
  });
  return {
    store,
    other: store,
    loseTables: async () => store.clear(),
    writeGarbage: async (node, uid, text) =>
      store.table.forceRow(nodePartition(node), { rowKey: podRowKey(uid), text }),
    leaveDueKey: async (node, dueAt, uid) =>
      store.table.forceRow(nodePartition(node), { rowKey: dueKey(dueAt, uid), text: '' }),
    warnings: () => warnings,
  };
});
