import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  addFault,
  apply,
  clearFaults,
  createNamespace,
  groupOf,
  journal,
  phase,
  pod,
  record,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'c-garbage';
const html = { body: '<html><body><h1>502 Bad Gateway</h1></body></html>', contentType: 'text/html' };
const garbage: readonly (readonly [name: string, rule: object])[] = [
  ['empty', { body: '{}', contentType: 'application/json' }],
  ['html', html],
  ['half', { body: '{"id": "/subscr', contentType: 'application/json' }],
  ['error', { status: 500, ...html }],
  ['list', { body: '[]', contentType: 'application/json' }],
];

/** Of this pod's group only: the node's own list and usages go on. */
const onGroup = (name: string, rule: object): object => ({ path: `containerGroups/${namespace}-${name}`, ...rule });
const forAWhile = 4;

const workersSchema = z.array(z.object({ name: z.string(), pid: z.number() }));

/** The app's processes, by name and process id. */
async function workers(): Promise<string> {
  const answer = await fetch(`${record.hostAdminUrl}/workers`);
  return JSON.stringify(workersSchema.parse(await answer.json()));
}

describe('garbage from ARM', () => {
  let workersBefore = '';
  beforeAll(async () => {
    workersBefore = await workers();
    await createNamespace(namespace);
  });

  afterAll(async () => {
    await clearFaults();
    await removeNamespace(namespace);
  });

  const becomes = (name: string, wanted: string) =>
    until(
      `${name} is ${wanted}`,
      () => phase(name, namespace),
      (seen) => seen === wanted,
      240_000,
    );
  const asked = async (name: string) =>
    (await journal()).filter((request) => request.path.includes(`containerGroups/${namespace}-${name}`));

  it('as answers to GET and PUT for a while: every pod starts in the end, once', async () => {
    for (const [name, rule] of garbage) {
      await addFault(onGroup(`get-${name}`, { method: 'GET', count: forAWhile, ...rule }));
      await addFault(onGroup(`put-${name}`, { method: 'PUT', ...rule }));
    }
    const names = garbage.flatMap(([name]) => [`get-${name}`, `put-${name}`]);
    await apply(...names.map((name) => pod(name, { namespace })));
    await Promise.all(names.map((name) => becomes(name, 'Running')));
    for (const name of names) {
      const group = await groupOf(name, namespace);
      const own = (await runs()).filter((run) => run.uid === group?.tags['kubernetes-pod-uid']);
      expect([name, own.length]).toEqual([name, 1]);
    }
  });

  it('as the answer to every look at a running pod: it stays Running, and nobody asks in a frenzy', async () => {
    await apply(pod('steady', { namespace, restartPolicy: 'OnFailure', command: ['sh', '-c', 'sleep 25; exit 0'] }));
    await becomes('steady', 'Running');
    await addFault(onGroup('steady', { method: 'GET', count: null, ...html }));
    const before = (await asked('steady')).length;
    await sleep(30_000);
    expect(await phase('steady', namespace)).toBe('Running');
    expect((await asked('steady')).length - before).toBeLessThan(25);
    await clearFaults();
    await becomes('steady', 'Succeeded');
    expect(await groupOf('steady', namespace)).toBeDefined();
  });

  it('and no process of the app ended over it', async () => {
    expect(await workers()).toEqual(workersBefore);
  });
});
