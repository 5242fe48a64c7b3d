import { randomUUID } from 'node:crypto';
import { dueKey, nodePartition, nodeRowKey, podRowKey } from '../../../shared/adapters/tables/keys.ts';
import type { Row, RowTable, RowWrite } from '../../../shared/adapters/tables/row-table.ts';
import type { NodeKey } from '../../../shared/core/node/node-key.ts';
import { newNodeRow } from '../../../shared/core/reconcile/node-row.ts';
import { newPodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { formatRow, parsePodRow } from '../../../shared/wire/rows.ts';
import type { Section } from '../figure.ts';
import { write } from '../rig/azurite.ts';
import type { Rig } from '../rig/bundles.ts';
import { node, startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import { median } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';

const rows = 5000;
const due = 200;
const idleRuns = 11;
const busyRuns = 2;

/** One sweep over a full table: with nothing due, and with 200 pods due, on real Table storage. */
export async function measureSweep(bundles: Rig, dir: string, say: Say): Promise<Section> {
  const cloud = await startCloud({ bundles, dir, knobs: { latencyMs: 100, timingsScale: 0.2 } });
  try {
    const key = { cluster: cloud.cluster.child.value.clusterUid, node };
    await startPods(cloud);
    say(`${due} pods run`);
    await cloud.stopRelay();
    await cloud.host.holdTimers(true);
    await fill(cloud, key);
    const before = cloud.tables.requests();
    const idle: number[] = [];
    for (let run = 0; run < idleRuns + 1; run += 1) {
      await rearrange(cloud, key, Date.now() + 3_600_000);
      const tookMs = await cloud.host.runTimer('pod-sweep');
      if (run > 0) idle.push(tookMs);
    }
    say(`none due: ${median(idle)} ms`);
    const requests = cloud.tables.requests() - before;
    const busy: number[] = [];
    for (let run = 0; run < busyRuns; run += 1) {
      await rearrange(cloud, key, Date.now() - 1000);
      busy.push(await cloud.host.runTimer('pod-sweep'));
      say(`${due} due: ${busy.at(-1)?.toFixed(0)} ms`);
    }
    const failed = (await cloud.host.invocations())['pod-sweep']?.failures ?? 0;
    return {
      title: 'A sweep',
      method: `${rows} rows in Azurite (in memory), the timer function called through the host, its time by the host; 100 ms ARM latency.`,
      figures: [
        {
          name: 'none due, median',
          value: median(idle),
          unit: 'ms',
          goal: { atMost: 300 },
          note: `${idle.length} runs, slowest ${Math.max(...idle)} ms; ${requests} requests of Table storage, those of the preparation included`,
        },
        {
          name: `${due} due, median`,
          value: median(busy),
          unit: 'ms',
          note: `each a poll of ARM and at the API server, 8 at a time; ${failed} runs failed`,
        },
      ],
    };
  } finally {
    await cloud.stop();
  }
}

async function startPods(cloud: Cloud): Promise<void> {
  const names = Array.from({ length: due }, (_, index) => `due-${index}`);
  await forEachAtOnce(names, 8, async (name) => {
    await cloud.cluster.createPod(podManifest(name, { restartPolicy: 'Always' }));
  });
  const running = new Set<string>();
  const all = await cloud.time.waitUntil(
    () => {
      for (const one of cloud.cluster.news()) if (one.phase === 'Running') running.add(one.name);
      return running.size >= due;
    },
    { withinMs: 120_000, everyMs: 1000 },
  );
  if (!all) throw new Error(`only ${running.size} of ${due} pods came up`);
}

/** Rows of pods that have ended long ago, until there are as many as wanted; a quarter of them waits for another day. */
async function fill(cloud: Cloud, key: NodeKey): Promise<void> {
  const later = Date.now() + 86_400_000;
  const writes = Array.from({ length: rows - due }, (_, index): readonly RowWrite[] => {
    const uid = randomUUID();
    const row = {
      ...newPodRow({ namespace: 'default', name: `old-${index}`, uid, group: `default-old-${index}` }),
      dueAt: later,
    };
    const dueRow = dueKey(later, uid);
    return [
      { kind: 'insert', rowKey: podRowKey(uid), text: formatRow(row), due: dueRow },
      { kind: 'insert', rowKey: dueRow, text: '' },
    ];
  });
  await write(cloud.tables.table, nodePartition(key), writes.flat());
}

/** The pods that really are there become due at `dueAt`, and the node looks freshly resynced. */
async function rearrange(cloud: Cloud, key: NodeKey, dueAt: number): Promise<void> {
  const partition = nodePartition(key);
  const { table } = cloud.tables;
  const nodeRow = await table.get(partition, nodeRowKey);
  if (!nodeRow.ok) throw new Error(nodeRow.fault.message);
  const fresh = { ...newNodeRow(), resyncedAt: Date.now(), relayHeardAt: Date.now() };
  await write(table, partition, [{ kind: 'upsert', rowKey: nodeRowKey, text: formatRow(fresh) }]);
  const found = await table.query(partition, { from: 'pod-', to: 'pod-~' });
  if (!found.ok) throw new Error(found.fault.message);
  for (const row of found.value) await makeDueAt(table, partition, row, dueAt);
}

/** A call that began before the relay ended may still write the row: then it is read again. */
async function makeDueAt(table: RowTable, partition: string, seen: Row, dueAt: number): Promise<void> {
  let row: Row | undefined = seen;
  for (let attempt = 0; row !== undefined; attempt += 1) {
    const parsed = parsePodRow(row.text);
    if (parsed.kind !== 'row' || parsed.value.name.startsWith('old-')) return;
    const due = dueKey(dueAt, parsed.value.uid);
    const text = formatRow({ ...parsed.value, dueAt, lock: undefined, attempt: 0 });
    const old: RowWrite[] = row.due === undefined || row.due === due ? [] : [{ kind: 'delete', rowKey: row.due }];
    const moved = await table.submit(partition, [
      { kind: 'replace', rowKey: row.rowKey, text, due, etag: row.etag },
      ...old,
      { kind: 'upsert', rowKey: due, text: '' },
    ]);
    if (moved.ok) return;
    if (attempt === 5) throw new Error(`${parsed.value.name} did not become due: ${moved.fault.message}`);
    const current = await table.get(partition, row.rowKey);
    row = current.ok ? current.value : row;
  }
}
