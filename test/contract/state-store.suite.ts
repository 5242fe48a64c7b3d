import { beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../shared/core/fault.ts';
import type { NodeKey } from '../../shared/core/node/node-key.ts';
import type { DuePod } from '../../shared/ports/state-store.ts';
import { newNodeRow } from '../../shared/core/reconcile/node-row.ts';
import { newPodRow } from '../../shared/core/reconcile/pod-row.ts';
import type { PodRow } from '../../shared/core/reconcile/pod-row.ts';
import type { UsageRecord } from '../../shared/core/usage/usage.ts';
import type { StateStore, Versioned } from '../../shared/ports/state-store.ts';

/** What a store must offer to be held by the suite. */
export interface StoreUnderTest {
  readonly store: StateStore;
  /** A second client of the same tables, as in another process. */
  readonly other: StateStore;
  /** Loses all tables. */
  loseTables(): Promise<void>;
  /** Writes a row of arbitrary text at a pod's key. */
  writeGarbage(node: NodeKey, uid: string, text: string): Promise<void>;
  /** Leaves a due key without its row, as a crash in the middle of a deletion does. */
  leaveDueKey(node: NodeKey, dueAt: number, uid: string): Promise<void>;
  readonly warnings: () => number;
}

const node: NodeKey = { cluster: '6f1c-cluster', node: 'virtual/node #1?' };
const sibling: NodeKey = { cluster: '6f1c-cluster', node: 'virtual-node-2' };

const podRow = (uid: string, changes: Partial<PodRow> = {}): PodRow => ({
  ...newPodRow({ namespace: 'default', name: `pod-${uid}`, uid, group: `default-pod-${uid}` }),
  ...changes,
});

const usage = (uid: string, startedAt: number, endedAt: number): UsageRecord => ({
  ...node,
  namespace: 'default',
  name: `pod-${uid}`,
  uid,
  owner: { kind: 'Job', name: 'nightly' },
  cpu: 1.25,
  memoryInGB: 1.5,
  startedAt,
  endedAt,
});
const always = { from: 0, to: 9_000_000_000_000 };

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.kind}: ${result.fault.message}`);
  return result.value;
}

const faultOf = <T>(result: Result<T>): string => (result.ok ? 'ok' : result.fault.kind);

export function describeStateStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`state store: ${name}`, () => {
    let test: StoreUnderTest;
    let store: StateStore;
    beforeEach(async () => {
      test = await open();
      store = test.store;
    });
    const insert = async (row: PodRow, key = node): Promise<Versioned<PodRow>> =>
      value(await store.upsertPod(key, row, { previous: undefined }));

    it('reads as empty before anything was written', async () => {
      expect(value(await store.getPod(node, 'a'))).toBeUndefined();
      expect(value(await store.getNode(node))).toBeUndefined();
      expect(value(await store.getBucket('reads'))).toBeUndefined();
      expect(value(await store.listPods(node))).toEqual([]);
      expect(uidsOf(await store.listDue(node, Date.now(), 10))).toEqual([]);
      expect(value(await store.getNextDue(node))).toBeUndefined();
    });

    it('gives back a pod row as it was written, with every field', async () => {
      const row = podRow('a', {
        intent: { kind: 'accepted', at: 5, operationUrl: `https://arm.test/operations/1?c=${'x'.repeat(3500)}` },
        dueAt: 1000,
        attempt: 3,
        lock: { owner: 'instance-1', until: 2000 },
        dirty: true,
        seen: '17',
        ending: { by: 'stop', at: 900 },
        absentSince: 800,
        reported: ['BackOff', 'Übel'],
        fault: { reason: 'InsufficientCapacity', message: 'No room.' },
        usage: {
          cpu: 1.25,
          memoryInGB: 1.5,
          owner: { kind: 'Job', name: 'nightly' },
          startedAt: 700,
          endedAt: 800,
          earlier: [[100, 200]],
        },
        files: {
          key: { kid: 'r1', nonce: 'n' },
          volumes: {
            conf: { container: 'web', made: 'x', version: 'y', renewAt: 3000, isShared: true },
            late: { container: 'web', version: '' },
          },
        },
      });
      const written = await insert(row);
      expect(value(await store.getPod(node, 'a'))).toEqual({ value: row, etag: written.etag });
      expect(value(await test.other.getPod(node, 'a'))).toEqual({ value: row, etag: written.etag });
    });

    it('keeps a UID with characters that keys forbid', async () => {
      const uid = 'a/b\\c#d?e%f!_ü';
      await insert(podRow(uid, { dueAt: 1000 }));
      expect(uidsOf(await store.listDue(node, 1000, 10))).toEqual([uid]);
      expect(value(await store.getPod(node, uid))?.value.uid).toBe(uid);
    });

    it('keeps a row longer than one property of a table may be', async () => {
      const orphans = Object.fromEntries(
        Array.from({ length: 900 }, (_, index) => [`group-${index}-${'x'.repeat(50)}`, index]),
      );
      value(await store.upsertNode(node, { ...newNodeRow(), orphans }, undefined));
      expect(value(await store.getNode(node))?.value.orphans).toEqual(orphans);
    });

    it('refuses a second insert of the same pod', async () => {
      await insert(podRow('a'));
      expect(faultOf(await test.other.upsertPod(node, podRow('a'), { previous: undefined }))).toBe('conflict');
    });

    it('refuses a write from a stale reading, and changes nothing by it', async () => {
      const first = await insert(podRow('a', { dueAt: 1000 }));
      const second = value(await store.upsertPod(node, podRow('a', { dueAt: 2000, attempt: 1 }), { previous: first }));
      const late = podRow('a', { dueAt: 500, attempt: 9 });
      expect(faultOf(await test.other.upsertPod(node, late, { previous: first }))).toBe('conflict');
      expect(value(await store.getPod(node, 'a'))).toEqual(second);
      expect(value(await store.getNextDue(node))).toBe(2000);
    });

    it('counts the pods that are due up to a time', async () => {
      for (const [uid, dueAt] of Object.entries({ a: 1000, b: 2000, c: 3000 })) await insert(podRow(uid, { dueAt }));
      await insert(podRow('idle', { dueAt: undefined }));
      expect(value(await store.countDue(node, 999))).toBe(0);
      expect(value(await store.countDue(node, 2000))).toBe(2);
      expect(value(await store.countDue(node, 9000))).toBe(3);
    });

    it('answers the ETag that the next write needs', async () => {
      let current = await insert(podRow('a', { dueAt: 1000 }));
      for (const dueAt of [2000, 2000, undefined, 3000]) {
        current = value(await store.upsertPod(node, podRow('a', { dueAt }), { previous: current }));
        expect(value(await store.getPod(node, 'a'))?.etag).toBe(current.etag);
      }
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['a']);
    });

    it('refuses to replace a row that is gone', async () => {
      const row = await insert(podRow('a', { dueAt: 1000 }));
      value(await store.deletePod(node, row));
      const again = await test.other.upsertPod(node, podRow('a', { dueAt: 2000 }), { previous: row });
      expect(faultOf(again)).toBe('conflict');
      expect(value(await store.getNextDue(node))).toBeUndefined();
    });

    it('lets exactly one of two concurrent writers win', async () => {
      const previous = await insert(podRow('a', { dueAt: 1000 }));
      const results = await Promise.all(
        [1, 2, 3, 4].map((attempt) =>
          (attempt % 2 === 0 ? store : test.other).upsertPod(node, podRow('a', { dueAt: 1000 + attempt, attempt }), {
            previous,
          }),
        ),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['a']);
    });

    it('moves the due key with the row', async () => {
      const first = await insert(podRow('a', { dueAt: 1000 }));
      expect(uidsOf(await store.listDue(node, 1000, 10))).toEqual(['a']);
      const second = value(await store.upsertPod(node, podRow('a', { dueAt: 5000 }), { previous: first }));
      expect(uidsOf(await store.listDue(node, 4999, 10))).toEqual([]);
      expect(uidsOf(await store.listDue(node, 5000, 10))).toEqual(['a']);
      value(await store.upsertPod(node, podRow('a'), { previous: second }));
      expect(uidsOf(await store.listDue(node, 9_999_999_999_999, 10))).toEqual([]);
      expect(value(await store.getNextDue(node))).toBeUndefined();
    });

    it('lists what is due oldest first, at most as many as asked for, and only of this node', async () => {
      await insert(podRow('c', { dueAt: 1_700_000_000_003 }));
      await insert(podRow('a', { dueAt: 1_700_000_000_001 }));
      await insert(podRow('z', { dueAt: 999 }));
      await insert(podRow('b', { dueAt: 1_700_000_000_002 }));
      await insert(podRow('other', { dueAt: 1 }), sibling);
      expect(uidsOf(await store.listDue(node, 1_700_000_000_002, 10))).toEqual(['z', 'a', 'b']);
      expect(uidsOf(await store.listDue(node, 1_700_000_000_003, 2))).toEqual(['z', 'a']);
      expect(uidsOf(await store.listDue(node, 1_700_000_000_003, 0))).toEqual([]);
      expect(value(await store.getNextDue(node))).toBe(999);
      expect(value(await store.listPods(node)).map((pod) => pod.value.uid)).toEqual(['a', 'b', 'c', 'z']);
      expect(value(await store.listPods(sibling)).map((pod) => pod.value.uid)).toEqual(['other']);
    });

    it('removes a due key whose row is missing or due at another time', async () => {
      await insert(podRow('a', { dueAt: 3000 }));
      await test.leaveDueKey(node, 1000, 'a');
      await test.leaveDueKey(node, 2000, 'gone');
      expect(value(await store.getNextDue(node))).toBe(1000);
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['a']);
      expect(value(await store.getNextDue(node))).toBe(3000);
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['a']);
    });

    it('moves on when the old due key has vanished', async () => {
      const first = await insert(podRow('a', { dueAt: 3000 }));
      await test.leaveDueKey(node, 1000, 'a');
      const stale = { value: podRow('a', { dueAt: 2000 }), etag: first.etag };
      expect(faultOf(await store.upsertPod(node, podRow('a', { dueAt: 4000 }), { previous: stale }))).toBe('ok');
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['a']);
    });

    it('deletes row and due key, once or twice, but not what somebody changed meanwhile', async () => {
      const first = await insert(podRow('a', { dueAt: 1000 }));
      const second = value(await store.upsertPod(node, podRow('a', { dueAt: 2000 }), { previous: first }));
      expect(faultOf(await test.other.deletePod(node, first))).toBe('conflict');
      expect(uidsOf(await store.listDue(node, 2000, 10))).toEqual(['a']);
      expect(faultOf(await store.deletePod(node, second))).toBe('ok');
      expect(faultOf(await store.deletePod(node, second))).toBe('ok');
      expect(value(await store.getPod(node, 'a'))).toBeUndefined();
      expect(value(await store.getNextDue(node))).toBeUndefined();
    });

    it('moves what a pod used to the ledger when its row goes, once, whatever is repeated', async () => {
      const first = await insert(podRow('a', { dueAt: 1000, usage: { cpu: 1, memoryInGB: 1, earlier: [] } }));
      const second = value(await store.upsertPod(node, { ...first.value, attempt: 1 }, { previous: first }));
      const [record, earlier] = [usage('a', 500, 900), usage('a', 100, 200)];
      expect(faultOf(await test.other.deletePod(node, first, [record]))).toBe('conflict');
      expect(value(await store.listUsage(node, always))).toEqual([]);
      expect(faultOf(await store.deletePod(node, second, [earlier, record]))).toBe('ok');
      expect(faultOf(await store.deletePod(node, second, [earlier, usage('a', 500, 950)]))).toBe('ok');
      expect(value(await test.other.listUsage(node, always))).toEqual([earlier, record]);
      expect(value(await store.getPod(node, 'a'))).toBeUndefined();
      expect(value(await store.listPods(node))).toEqual([]);
      expect(value(await store.getNextDue(node))).toBeUndefined();
    });

    it('moves it also when the due key has vanished, or there was none', async () => {
      const idle = await insert(podRow('idle'));
      expect(faultOf(await store.deletePod(node, idle, [usage('idle', 1, 2)]))).toBe('ok');
      const row = await insert(podRow('a', { dueAt: 3000 }));
      const stale = { value: podRow('a', { dueAt: 2000 }), etag: row.etag };
      expect(faultOf(await store.deletePod(node, stale, [usage('a', 3, 4)]))).toBe('ok');
      expect(value(await store.listUsage(node, always)).map(({ uid }) => uid)).toEqual(['idle', 'a']);
      expect(value(await store.listPods(node))).toEqual([]);
    });

    it('lets one of two who forget a pod at once write the ledger', async () => {
      const row = await insert(podRow('a', { dueAt: 1000 }));
      await Promise.all([
        store.deletePod(node, row, [usage('a', 500, 900)]),
        test.other.deletePod(node, row, [usage('a', 500, 901)]),
      ]);
      expect(value(await store.listUsage(node, always))).toHaveLength(1);
    });

    it('lists the ledger of a node by time: what overlaps the window, in the order of the ends', async () => {
      const uid = 'a/b\\c#d?e%f!_ü';
      const spans = [usage(uid, 1000, 5000), usage('b', 1000, 2000), usage('c', 3000, 4000), usage('d', 4000, 6000)];
      for (const [index, record] of spans.entries())
        value(await store.deletePod(node, await insert(podRow(`${index}-${record.uid}`)), [record]));
      const ofSibling = { ...usage('x', 1000, 9000), node: sibling.node };
      value(await store.deletePod(sibling, await insert(podRow('x'), sibling), [ofSibling]));
      const uids = async (from: number, to: number) =>
        value(await store.listUsage(node, { from, to })).map((record) => record.uid);
      expect(await uids(0, 9999)).toEqual(['b', 'c', uid, 'd']);
      expect(await uids(2000, 3000)).toEqual([uid]);
      expect(await uids(1999, 3001)).toEqual(['b', 'c', uid]);
      expect(await uids(6000, 9000)).toEqual([]);
      expect(value(await store.listUsage(sibling, always))).toEqual([ofSibling]);
    });

    it('prunes the oldest of the ledger, a hundred at a time', async () => {
      const records = Array.from({ length: 60 }, (_, index) => usage('a', index, 1000 + index));
      for (const name of ['a', 'b'])
        value(
          await store.deletePod(
            node,
            await insert(podRow(name)),
            records.map((record) => ({ ...record, uid: name })),
          ),
        );
      value(await store.deletePod(node, await insert(podRow('c')), [usage('c', 1, 5000)]));
      expect(value(await store.pruneUsage(node, 5000))).toBe(100);
      expect(value(await store.pruneUsage(node, 5000))).toBe(20);
      expect(value(await store.pruneUsage(node, 5000))).toBe(0);
      expect(value(await store.listUsage(node, always)).map((record) => record.uid)).toEqual(['c']);
    });

    it('reads a pod row of the version before the ledger, and one whose usage is garbage', async () => {
      const { usage: _, ...old } = podRow('old', { attempt: 2 });
      await test.writeGarbage(node, 'old', JSON.stringify({ ...old, schemaVersion: 1 }));
      await test.writeGarbage(node, 'odd', JSON.stringify({ ...podRow('odd'), usage: { cpu: 'x' }, schemaVersion: 1 }));
      expect(value(await store.getPod(node, 'old'))?.value).toEqual(podRow('old', { attempt: 2 }));
      expect(value(await store.getPod(node, 'odd'))?.value).toEqual(podRow('odd'));
    });

    it('lists every node that has a row, and nothing else', async () => {
      expect(value(await store.listNodes())).toEqual([]);
      await insert(podRow('a'));
      await insert(podRow('b'), sibling);
      const bucket = value(await store.getBucket('reads'));
      value(await store.upsertBucket('reads', { tokens: 1, at: 1 }, bucket));
      const names = value(await store.listNodes()).map((key) => `${key.cluster} ${key.node}`);
      expect(names.toSorted()).toEqual([node, sibling].map((key) => `${key.cluster} ${key.node}`).toSorted());
      value(await store.deletePod(sibling, await insert(podRow('c'), sibling)));
      expect(value(await test.other.listNodes())).toHaveLength(2);
    });

    it('keeps what is known of capacity until it is forgotten, guarded against others', async () => {
      const full = { message: 'no room', seenAt: 'put', attempt: 2, askAt: 5, width: 1, asking: [] } as const;
      const asked = { ...full, asking: [{ uid: 'a', until: 9 }] };
      expect(value(await store.getCapacity('any-1'))).toBeUndefined();
      const first = value(await store.upsertCapacity('any-1', full, undefined));
      expect(value(await test.other.getCapacity('any-1'))).toEqual(first);
      expect(faultOf(await test.other.upsertCapacity('any-1', asked, undefined))).toBe('conflict');
      const second = value(await test.other.upsertCapacity('any-1', asked, first));
      expect(faultOf(await store.upsertCapacity('any-1', undefined, first))).toBe('conflict');
      expect(value(await store.upsertCapacity('any-1', undefined, second))).toBeUndefined();
      expect(value(await store.getCapacity('any-1'))).toBeUndefined();
      expect(value(await store.listNodes())).toEqual([]);
    });

    it('keeps what registries said of images, whoever wrote last', async () => {
      const [old, young] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
      const said = {
        entrypoint: ['/e'],
        cmd: [],
        env: { A: 'x'.repeat(70_000), ü: '"' },
        workingDir: '/',
        user: '1:2',
      };
      const image = `registry.example/${'team/'.repeat(40)}app:1`;
      expect(value(await store.getImageConfig(old))).toBeUndefined();
      expect(value(await store.getImageTag(image))).toBeUndefined();
      value(await store.upsertImageConfig({ digest: old, ...said }));
      value(await test.other.upsertImageConfig({ digest: old, ...said }));
      value(await store.upsertImageConfig({ digest: young, ...said, stopSignal: 'SIGQUIT' }));
      expect(value(await test.other.getImageConfig(old))).toEqual({ digest: old, ...said });
      expect(value(await test.other.getImageConfig(young))).toEqual({ digest: young, ...said, stopSignal: 'SIGQUIT' });
      value(await store.upsertImageTag(image, { digest: old, readAt: 5 }));
      value(await test.other.upsertImageTag(image, { digest: young, readAt: 9 }));
      expect(value(await store.getImageTag(image))).toEqual({ digest: young, readAt: 9 });
      expect(value(await store.getImageTag(image.replace('app', 'apt')))).toBeUndefined();
      expect(value(await store.listNodes())).toEqual([]);
    });

    it('takes a burst of rows and of reads as it takes each by itself', async () => {
      const birth = value(await store.getBirth(node));
      const uids = Array.from({ length: 45 }, (_, index) => `burst-${index}`);
      await insert(podRow('burst-7', { dueAt: 1 }));
      const written = await Promise.all(
        uids.map((uid) => store.upsertPod(node, podRow(uid, { dueAt: 5000 }), { previous: undefined, birth })),
      );
      expect(written.flatMap((result, index) => (result.ok ? [] : [uids[index]]))).toEqual(['burst-7']);
      const read = await Promise.all(uids.map((uid) => test.other.getPod(node, uid)));
      expect(read.map(value).map((row) => row?.value.uid)).toEqual(uids);
      const again = await Promise.all(
        read.map((row) => store.upsertPod(node, podRow(value(row)?.value.uid ?? ''), { previous: value(row) })),
      );
      expect(again.map(faultOf)).toEqual(uids.map(() => 'ok'));
      expect(uidsOf(await store.listDue(node, 9000, 100))).toEqual([]);
    });

    it('marks the birth of a partition once', async () => {
      const before = value(await store.now());
      const birth = value(await store.getBirth(node));
      expect(birth.bornAt).toBeGreaterThanOrEqual(before);
      expect(value(await test.other.getBirth(node))).toEqual(birth);
      expect(value(await store.getBirth(sibling)).key).toMatch(/^born-\d{13}$/);
    });

    it('writes an intent only while the birth marker is there', async () => {
      const birth = value(await store.getBirth(node));
      const row = value(await store.upsertPod(node, podRow('a', { dueAt: 1000 }), { previous: undefined, birth }));
      const open = podRow('a', { dueAt: 2000, intent: { kind: 'open', at: 1 } });
      const second = value(await store.upsertPod(node, open, { previous: row, birth }));
      expect(value(await test.other.getBirth(node))).toEqual(birth);
      const unborn = { bornAt: 1, key: 'born-0000000000001' };
      const refused = await store.upsertPod(node, podRow('a', { dueAt: 3000 }), { previous: second, birth: unborn });
      expect(faultOf(refused)).toBe('conflict');
      expect(value(await store.getPod(node, 'a'))).toEqual(second);
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['a']);
      expect(faultOf(await store.upsertPod(node, podRow('b'), { previous: undefined, birth: unborn }))).toBe(
        'conflict',
      );
      expect(value(await store.getPod(node, 'b'))).toBeUndefined();
    });

    it('notices that all tables were lost, and starts anew', async () => {
      const birth = value(await store.getBirth(node));
      const row = await insert(podRow('a', { dueAt: 1000 }));
      value(await store.upsertBucket('reads', { tokens: 1, at: 2 }, undefined));
      await test.loseTables();
      const open = podRow('a', { intent: { kind: 'open', at: 1 } });
      expect(faultOf(await store.upsertPod(node, open, { previous: row, birth }))).toBe('conflict');
      expect(faultOf(await store.upsertPod(node, open, { previous: undefined, birth }))).toBe('conflict');
      expect(value(await store.getPod(node, 'a'))).toBeUndefined();
      expect(value(await store.getBucket('reads'))).toBeUndefined();
      expect(value(await store.listPods(node))).toEqual([]);
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual([]);
      expect(faultOf(await store.deletePod(node, row))).toBe('ok');
      const reborn = value(await store.getBirth(node));
      expect(reborn.key).not.toBe(birth.key);
      expect(faultOf(await store.upsertPod(node, open, { previous: undefined, birth: reborn }))).toBe('ok');
    });

    it('keeps node rows and buckets with ETags of their own', async () => {
      const first = value(await store.upsertNode(node, newNodeRow(), undefined));
      expect(faultOf(await test.other.upsertNode(node, newNodeRow(), undefined))).toBe('conflict');
      const usage = {
        readAt: 4,
        coresFree: 7.5,
        groupsFree: 3,
        ownCores: 2,
        ownGroups: 1,
        endedCores: 3,
        endedGroups: 2,
      };
      const second = value(await store.upsertNode(node, { ...newNodeRow(), resyncedAt: 7, usage }, first));
      expect(faultOf(await test.other.upsertNode(node, newNodeRow(), first))).toBe('conflict');
      expect(value(await test.other.getNode(node))).toEqual(second);
      const state = {
        tokens: 2.5,
        at: 7,
        closedUntil: 9,
        slots: [
          [3, 1],
          [4, 2],
        ] as const,
      };
      const bucket = value(await store.upsertBucket('creates', state, undefined));
      expect(value(await test.other.getBucket('creates'))).toEqual({ value: state, etag: bucket.etag });
      const spent = value(await store.upsertBucket('creates', { tokens: 0, at: 8 }, bucket));
      expect(faultOf(await test.other.upsertBucket('creates', state, bucket))).toBe('conflict');
      expect(value(await store.getBucket('creates'))).toEqual(spent);
    });

    it.each([
      ['no JSON', 'garbage{'],
      ['an empty object', '{}'],
      ['a list', '[]'],
      ['empty text', ''],
      ['a row with a field of another type', JSON.stringify({ ...podRow('bad'), attempt: 'many', schemaVersion: 1 })],
    ])('takes %s for an absent row, warns once, and lets it be replaced', async (_, text) => {
      await insert(podRow('good', { dueAt: 1000 }));
      await test.writeGarbage(node, 'bad', text);
      expect(value(await store.getPod(node, 'bad'))).toBeUndefined();
      expect(value(await store.getPod(node, 'bad'))).toBeUndefined();
      expect(value(await store.listPods(node)).map((pod) => pod.value.uid)).toEqual(['good']);
      expect(test.warnings()).toBe(1);
      await insert(podRow('bad', { dueAt: 2000 }));
      expect(uidsOf(await store.listDue(node, 9000, 10))).toEqual(['good', 'bad']);
    });

    it('leaves a row of a newer version of the app alone', async () => {
      await test.writeGarbage(node, 'new', JSON.stringify({ schemaVersion: 2, shape: 'unknown' }));
      expect(faultOf(await store.getPod(node, 'new'))).toBe('transient');
      expect(value(await store.listPods(node))).toEqual([]);
      expect(faultOf(await store.upsertPod(node, podRow('new'), { previous: undefined }))).toBe('conflict');
    });

    it('reports the time of the service', async () => {
      const now = value(await store.now());
      expect(Math.abs(now - Date.now())).toBeLessThan(3000);
      expect(value(await store.now())).toBeGreaterThanOrEqual(now);
    });
  });
}

const uidsOf = (due: Result<readonly DuePod[]>): readonly string[] => value(due).map(({ uid }) => uid);
