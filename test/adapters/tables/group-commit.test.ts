import { describe, expect, it } from 'vitest';
import { createMemoryTable } from '../../../infra/local/sim/memory-table.ts';
import { createGroupCommit } from '../../../shared/adapters/tables/group-commit.ts';
import type { Writes } from '../../../shared/adapters/tables/group-commit.ts';
import { createJointReads } from '../../../shared/adapters/tables/joint-reads.ts';
import { conflictCodes } from '../../../shared/adapters/tables/row-table.ts';
import type { RowTable } from '../../../shared/adapters/tables/row-table.ts';
import { fail } from '../../../shared/core/fault.ts';

const insert = (rowKey: string, text = 'x'): Writes => [
  { kind: 'insert', rowKey, text },
  { kind: 'touch', rowKey: 'born' },
];
/** A table whose requests take a turn of the event loop, and are counted. */
function slowTable() {
  const memory = createMemoryTable({ now: () => 0 });
  memory.forceRow('p', { rowKey: 'born', text: '' });
  const requests: string[] = [];
  const later = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    requests.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    return act();
  };
  const table: RowTable = {
    ...memory,
    get: (...args) => later('get', () => memory.get(...args)),
    getAll: (...args) => later('getAll', () => memory.getAll(...args)),
    submit: (...args) => later('submit', () => memory.submit(...args)),
    submitAll: (...args) => later(`submitAll ${args[1].length}`, () => memory.submitAll(...args)),
  };
  return { memory, table, requests };
}

describe('group commit', () => {
  it('joins what comes while two requests are under way, and each caller gets the version of its own row', async () => {
    const { memory, table, requests } = slowTable();
    const commit = createGroupCommit(table);
    const keys = Array.from({ length: 40 }, (_, index) => `pod-${index}`);
    const etags = await Promise.all(keys.map((key) => commit('p', insert(key))));
    for (const [index, etag] of etags.entries()) expect(etag).toEqual({ ok: true, value: etagOf(memory, keys[index]) });
    expect(requests).toEqual(['submit', 'submit', 'submitAll 38']);
  });

  it('reports a conflict to the caller whose it is, and to nobody else', async () => {
    const { memory, table } = slowTable();
    memory.forceRow('p', { rowKey: 'pod-5', text: 'another' });
    const commit = createGroupCommit(table);
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => commit('p', insert(`pod-${index}`))));
    expect(results.map(({ ok }) => ok)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => index !== 5));
    expect(results[5]).toMatchObject({ fault: { kind: 'conflict', code: conflictCodes.exists } });
    expect(memory.readPartition('p')).toHaveLength(11);
  });

  it('informs everybody that nobody knows, when nobody knows', async () => {
    const { table, memory } = slowTable();
    const commit = createGroupCommit({
      ...table,
      submitAll: () => Promise.resolve(fail({ kind: 'transient', message: 'connection reset' })),
    });
    const results = await Promise.all(Array.from({ length: 5 }, (_, index) => commit('p', insert(`pod-${index}`))));
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false, false]);
    expect(memory.readPartition('p')).toHaveLength(3);
  });

  it('never puts one row into a transaction twice, and no more than the service takes', async () => {
    const { table, requests } = slowTable();
    const commit = createGroupCommit(table);
    const writes = Array.from({ length: 120 }, (_, index): Writes => [
      { kind: 'upsert', rowKey: `row-${index % 100}`, text: '' },
    ]);
    const results = await Promise.all(writes.map((one) => commit('p', one)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(requests.slice(2)).toEqual(['submitAll 100', 'submitAll 18']);
  });

  it('amid others waits a few milliseconds for company, and not when alone', async () => {
    const { memory, table, requests } = slowTable();
    const commit = createGroupCommit(table, { lingerMs: 30, monotonicMs: () => performance.now() });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const waves = Array.from({ length: 12 }, async (_, index) => {
      await pause(index);
      return commit('p', insert(`pod-${index}`));
    });
    const etags = await Promise.all(waves);
    for (const [index, etag] of etags.entries())
      expect(etag).toEqual({ ok: true, value: etagOf(memory, `pod-${index}`) });
    expect(requests[0]).toBe('submit');
    expect(requests.length).toBeLessThan(9);
    await pause(150);
    const before = requests.length;
    const alone = commit('p', insert('pod-alone'));
    expect(requests.length).toBe(before + 1);
    await alone;
  });

  it('keeps partitions apart', async () => {
    const { table, requests } = slowTable();
    const commit = createGroupCommit(table);
    const upsert = (rowKey: string): Writes => [{ kind: 'upsert', rowKey, text: '' }];
    await Promise.all(['a', 'b', 'c', 'd'].map((partition) => commit(partition, upsert('r'))));
    expect(requests).toEqual(['submit', 'submit', 'submit', 'submit']);
  });
});

describe('joint reads', () => {
  it('join what is wanted at the same time, and answer what is not there', async () => {
    const { memory, table, requests } = slowTable();
    for (const index of [0, 1, 2, 3, 5, 8, 13, 19])
      memory.forceRow('p', { rowKey: `pod-${index}`, text: String(index) });
    const read = createJointReads(table);
    const rows = await Promise.all(Array.from({ length: 20 }, (_, index) => read('p', `pod-${index}`)));
    const found = rows.map((row) => (row.ok ? row.value?.text : 'fault'));
    expect(found.flatMap((text) => text ?? [])).toEqual(['0', '1', '2', '3', '5', '8', '13', '19']);
    expect(found[7]).toBeUndefined();
    expect(requests).toEqual(['get', 'get', 'getAll', 'getAll']);
  });
});

function etagOf(memory: ReturnType<typeof createMemoryTable>, rowKey = ''): string | undefined {
  return memory.readPartition('p').find((row) => row.rowKey === rowKey)?.etag;
}
