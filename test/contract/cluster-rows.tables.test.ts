import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { clusterRows } from '../../infra/cli/detach/rows.ts';
import { createTableStore } from '../../shared/adapters/tables/table-store.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import { newNodeRow } from '../../shared/core/reconcile/node-row.ts';
import { newPodRow } from '../../shared/core/reconcile/pod-row.ts';
import type { StateStore } from '../../shared/ports/state-store.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import { settingsOf } from '../fixtures/settings.ts';

const connectionString = inject('tableConnectionString');
const silent = { info: () => undefined, warn: () => undefined };
const uid = '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a77';
const nodes = ['aci-1', 'aci-2', 'aci-10'].map((node) => ({ cluster: uid, node }));
const other = { cluster: `${uid.slice(0, -1)}8`, node: 'aci-1' };

function open() {
  const installation = `test-${randomUUID().slice(0, 13)}`;
  const parsed = parseSettings(
    settingsOf([{ name: 'aci-1' }], { INSTALLATION: installation, AzureWebJobsStorage: connectionString }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  let registered = true;
  const refusal = { kind: 'denied', code: 'NodeNotRegistered', message: 'not registered' } as const;
  const mayBegin = () => Promise.resolve(registered ? ok(undefined) : fail(refusal));
  return {
    settings: parsed.settings,
    store: createTableStore({ connectionString }, { installation, log: silent, mayBegin }),
    unregister: () => (registered = false),
  };
}

/** What the app writes of a new pod and a node that nothing is known of. */
async function writeRows(store: StateStore, node: (typeof nodes)[number], count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const birth = await store.getBirth(node);
    if (!birth.ok) return;
    const row = { ...newPodRow({ namespace: 'n', name: 'p', uid: randomUUID(), group: 'g' }), dueAt: index };
    await store.upsertPod(node, row, { previous: undefined, birth: birth.value });
    await store.upsertNode(node, newNodeRow(), undefined, birth.value);
  }
}

describe('the rows of a cluster that leaves (Azurite)', () => {
  it('are removed, of all nodes or some, and the others stay', async () => {
    const { settings, store } = open();
    for (const node of [...nodes, other]) await writeRows(store, node, 2);
    const some = clusterRows(settings, { uid, nodes: ['aci-1'] });
    const all = clusterRows(settings, { uid });
    expect([await some.count(), await all.count()]).toEqual([
      { rows: 6, usage: 0 },
      { rows: 18, usage: 0 },
    ]);
    await some.remove({ usage: false });
    expect([await some.count(), await all.count()]).toEqual([
      { rows: 0, usage: 0 },
      { rows: 12, usage: 0 },
    ]);
    await all.remove({ usage: false });
    expect((await all.count()).rows).toBe(0);
    expect((await clusterRows(settings, { uid: other.cluster }).count()).rows).toBe(6);
  });

  it('do not come back, though the app has not noticed and writes all the time', async () => {
    const { settings, store, unregister } = open();
    const rows = clusterRows(settings, { uid });
    for (const node of nodes) await writeRows(store, node, 1);
    const end = new AbortController();
    const app = Promise.all(
      nodes.map(async (node) => {
        while (!end.signal.aborted) await writeRows(store, node, 3);
      }),
    );
    unregister();
    await rows.remove({ usage: false });
    expect(await rows.count()).toEqual({ rows: 0, usage: 0 });
    for (const node of nodes) await writeRows(store, node, 3);
    end.abort();
    await app;
    expect(await rows.count()).toEqual({ rows: 0, usage: 0 });
  });
});
