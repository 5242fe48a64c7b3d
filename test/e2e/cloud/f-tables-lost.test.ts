import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, createNamespace, kubectl, pod, removeNamespace, until } from './cloud.ts';
import type { PodRecorder } from '../pod-recorder.ts';
import { core, recordPods, violations } from './oracles.ts';
import { deleteTables, emptyTables } from './tables.ts';

const namespace = 'amnesia';
const pods = (prefix: string, count: number): object[] =>
  Array.from({ length: count }, (_, index) => pod(`${prefix}-${index}`, { namespace }));
let recorder: PodRecorder;

async function createPods(bodies: readonly object[], everyMs: number): Promise<void> {
  for (const body of bodies) {
    await core.createNamespacedPod({ namespace, body });
    await sleep(everyMs);
  }
}

const runningPods = (): number =>
  [...recorder.histories.values()].filter(({ phases, deleted }) => !deleted && phases.at(-1) === 'Running').length;

const allRun = (count: number, timeoutMs: number) =>
  until(
    `${count} pods run`,
    async () => runningPods(),
    (seen) => seen === count,
    timeoutMs,
  );

describe('the tables are lost', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    recorder = recordPods(namespace);
    await apply(...pods('old', 10));
    await allRun(10, 150_000);
  });

  afterAll(async () => {
    await recorder.stop();
    await removeNamespace(namespace);
  });

  it('row by row, while 5 pods are being created: nothing runs twice, nothing leaks, the 5 start', async () => {
    // One every half second: some have their group by then, some their intent, some nothing yet.
    const applied = createPods(pods('new', 5), 500);
    await sleep(1600);
    const lostAt = Date.now();
    const lost = await emptyTables();
    await applied;
    await allRun(15, 180_000);
    console.log(`${lost} rows lost; all 15 pods run ${((Date.now() - lostAt) / 1000).toFixed(1)} s later`);
    expect(await violations(recorder)).toEqual([]);
  });

  it('as a whole, while a pod ends and another is deleted: each ends as it should', async () => {
    await deleteTables();
    const lostAt = Date.now();
    await kubectl(['delete', 'pod', 'old-0', '-n', namespace, '--timeout=150s'], { timeoutMs: 160_000 });
    await until(
      'the group of the deleted pod is gone',
      () => violations(recorder),
      (broken) => broken.length === 0,
      90_000,
    );
    console.log(`tables deleted; a deleted pod was gone ${((Date.now() - lostAt) / 1000).toFixed(1)} s later`);
    expect(runningPods()).toBe(14);
  });
});
