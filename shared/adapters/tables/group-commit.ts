import type { Result } from '../../core/fault.ts';
import { createLanes } from './lanes.ts';
import type { Patience } from './lanes.ts';
import type { RowTable, RowWrite } from './row-table.ts';

/** One caller's writes: all or nothing. */
export type Writes = readonly [RowWrite, ...RowWrite[]];

/** Answers the ETag of the first write's row, as `RowTable.submit`. */
export type Commit = (partition: string, writes: Writes) => Promise<Result<string>>;

/** The Table service takes as many entities in one transaction, and 4 MiB. */
const mostWrites = 100;
const mostBytes = 3_000_000;
interface Member {
  readonly writes: Writes;
  readonly answer: (result: Result<string>) => void;
}

/**
 * Joins what several callers write to one partition at the same time into one transaction: a burst of pods costs a
 * few requests, not some for each (`createLanes` says who waits for whom). A caller's writes stay all or nothing, and one caller's conflict is only
 * its own: then each is sent by itself, since nothing of the joint transaction took place.
 */
export function createGroupCommit(table: Pick<RowTable, 'submit' | 'submitAll'>, patience?: Patience): Commit {
  const send = async (partition: string, members: readonly Member[]): Promise<void> => {
    const [first, ...others] = members;
    if (first === undefined) return;
    if (others.length === 0) return first.answer(await table.submit(partition, first.writes));
    const sent = await table.submitAll(
      partition,
      members.map(({ writes }) => writes),
    );
    if (sent.ok) return members.forEach(({ answer }, index) => answer({ ok: true, value: sent.value[index] ?? '' }));
    if (sent.fault.kind !== 'conflict') return members.forEach(({ answer }) => answer(sent));
    await Promise.all(members.map(async ({ writes, answer }) => answer(await table.submit(partition, writes))));
  };

  const enter = createLanes(takeTogether, send, patience);
  return (partition, writes) => new Promise((answer) => enter(partition, { writes, answer }));
}

/** As many of those who wait, in their order, as one transaction takes; no row may be in it twice. */
function takeTogether(waiting: Member[]): readonly Member[] {
  const rows = new Set<string>();
  let [count, bytes] = [0, 0];
  const end = waiting.findIndex(({ writes }) => {
    const own = writes.filter(({ kind }) => kind !== 'touch');
    count += writes.length;
    bytes += writes.reduce((sum, write) => sum + ('text' in write ? write.text.length : 0), 0);
    if (rows.size > 0 && (count > mostWrites || bytes > mostBytes || own.some(({ rowKey }) => rows.has(rowKey))))
      return true;
    for (const { rowKey } of own) rows.add(rowKey);
    return false;
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

/** The writes of several callers as those of one: a row that several only need to be there is touched once. */
export function joinWrites(members: readonly Writes[]): {
  readonly writes: Writes;
  readonly firsts: readonly number[];
} {
  const joined: RowWrite[] = [];
  const touched = new Set<string>();
  const firsts: number[] = [];
  for (const writes of members) {
    firsts.push(joined.length);
    for (const write of writes) {
      if (write.kind === 'touch' && touched.has(write.rowKey)) continue;
      if (write.kind === 'touch') touched.add(write.rowKey);
      joined.push(write);
    }
  }
  const [first, ...others] = joined;
  if (first === undefined) throw new Error('a transaction needs a write');
  return { writes: [first, ...others], firsts };
}
