import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../infra/cluster/relay/app/outbox.ts';
import type { Batch } from '../../infra/cluster/relay/app/outbox.ts';
import { mostBodyBytes, mostPostBytes } from '../../shared/wire/relay-protocol/bounds.ts';
import { parsePodKey } from '../../shared/wire/relay-protocol/pod-events.ts';
import type { PodKey } from '../../shared/wire/relay-protocol/pod-events.ts';

const key = (uid: string, generation = 0): PodKey => ({
  node: 'aci-1',
  namespace: 'default',
  name: uid,
  uid,
  resourceVersion: String(generation),
  generation,
});
const keys = (count: number) => Array.from({ length: count }, (_, index) => key(`u${index}`));
const taken = (outbox: Outbox, lanes = 1): Batch => outbox.take(lanes) ?? { kind: 'delta', pods: [] };

describe('the outbox', () => {
  it('has nothing to give at first', () => expect(new Outbox().take(4)).toBeUndefined());

  it('gives the newest state of a pod once', () => {
    const outbox = new Outbox();
    outbox.add(key('a', 1));
    outbox.add(key('a', 2));
    expect(taken(outbox).pods).toEqual([key('a', 2)]);
    expect(outbox.take(1)).toBeUndefined();
  });

  it('keeps what probes found beside a newer state, the newest of it', () => {
    const outbox = new Outbox();
    const found = (ready: boolean) => ({ readiness: [{ container: 'c', startedAt: 's', ready }] });
    outbox.add({ ...key('a', 1), ...found(false) });
    outbox.add({ ...key('a', 1), ...found(true) });
    outbox.add(key('a', 2));
    expect(taken(outbox).pods).toEqual([{ ...key('a', 2), ...found(true) }]);
  });

  it('holds a pod back while it is on its way, and gives the newer state afterwards', () => {
    const outbox = new Outbox();
    outbox.add(key('a', 1));
    const first = taken(outbox);
    outbox.add(key('a', 2));
    expect(outbox.take(4)).toBeUndefined();
    outbox.settle(first, 'done');
    expect(taken(outbox).pods).toEqual([key('a', 2)]);
  });

  it('posts the longest keys that there may be far below the longest body that the host lets through', () => {
    const outbox = new Outbox();
    const longest = (index: number): PodKey => ({
      node: 'n'.repeat(253),
      namespace: 's'.repeat(63),
      name: 'p'.repeat(253),
      uid: String(index).padStart(128, '0'),
      resourceVersion: '\u0001'.repeat(64),
      generation: Number.MAX_SAFE_INTEGER,
      deletionTimestamp: '\u{1f600}'.repeat(32),
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    });
    const all = Array.from({ length: 2000 }, (_, index) => longest(index));
    expect(parsePodKey(all[0])).toEqual(all[0]);
    outbox.addSnapshot(all);
    const batches: Batch[] = [];
    for (let batch = outbox.take(1); batch !== undefined; batch = outbox.take(1)) {
      batches.push(batch);
      outbox.settle(batch, 'done');
    }
    const bytes = batches.map(({ kind, pods }) =>
      Buffer.byteLength(JSON.stringify({ epoch: 'e'.repeat(128), seq: Number.MAX_SAFE_INTEGER, kind, pods })),
    );
    expect(Math.max(...bytes)).toBeLessThan(mostPostBytes + 500);
    expect(mostPostBytes * 3).toBeLessThan(mostBodyBytes);
    expect(batches.flatMap(({ pods }) => pods)).toEqual(all);
    expect(batches.at(-1)?.kind).toBe('snapshot');
  });

  it('gives again what was not taken, unless a newer state waits', () => {
    const outbox = new Outbox();
    outbox.add(key('a', 1));
    outbox.add(key('b', 1));
    const first = taken(outbox);
    outbox.add(key('a', 2));
    outbox.settle(first, 'again');
    expect(taken(outbox).pods.toSorted((x, y) => x.uid.localeCompare(y.uid))).toEqual([key('a', 2), key('b', 1)]);
  });

  it('spreads a burst over the free lanes, so that no pod waits for many others', () => {
    const outbox = new Outbox();
    for (const one of keys(60)) outbox.add(one);
    expect([4, 3, 2, 1].map((lanes) => taken(outbox, lanes).pods.length)).toEqual([16, 16, 16, 12]);
  });

  it('gives pods that are to go first, each kind in the order in which it came', () => {
    const outbox = new Outbox();
    const ending = (uid: string): PodKey => ({ ...key(uid), deletionTimestamp: '2026-11-23T12:00:00Z' });
    for (const one of [key('a'), ending('b'), key('c'), ending('d')]) outbox.add(one);
    expect(taken(outbox).pods.map(({ uid }) => uid)).toEqual(['b', 'd', 'a', 'c']);
  });

  it('gives at most 500 at once', () => {
    const outbox = new Outbox();
    for (const one of keys(1200)) outbox.add(one);
    expect([taken(outbox), taken(outbox), taken(outbox)].map(({ pods }) => pods.length)).toEqual([500, 500, 200]);
  });

  it('calls the last part of a list a snapshot, so that the app resyncs once', () => {
    const outbox = new Outbox();
    outbox.addSnapshot(keys(1200));
    expect([taken(outbox), taken(outbox), taken(outbox)].map(({ kind }) => kind)).toEqual([
      'delta',
      'delta',
      'snapshot',
    ]);
    expect(outbox.take(1)).toBeUndefined();
  });

  it('reports an empty list too', () => {
    const outbox = new Outbox();
    outbox.addSnapshot([]);
    expect(outbox.isReady).toBe(true);
    expect(outbox.take(1)).toEqual({ kind: 'snapshot', pods: [] });
    expect(outbox.isReady).toBe(false);
  });

  it('reports a list again when it was not taken, or when another came meanwhile', () => {
    const outbox = new Outbox();
    outbox.addSnapshot([]);
    outbox.settle(taken(outbox), 'again');
    expect(outbox.isReady).toBe(true);
    const second = taken(outbox);
    outbox.addSnapshot([]);
    outbox.settle(second, 'done');
    expect(outbox.isReady).toBe(true);
  });

  it('loses no newest state and never has a pod in two batches, whatever comes in between', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), uid: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ do: fc.constant('take' as const), lanes: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constantFrom('done' as const, 'again' as const) }),
      fc.record({ do: fc.constant('snapshot' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = new Outbox();
        const flying: Batch[] = [];
        const newest = new Map<string, number>();
        const delivered = new Map<string, number>();
        const settle = (outcome: 'done' | 'again'): void => {
          const batch = flying.shift();
          if (batch === undefined) return;
          if (outcome === 'done') for (const { uid, generation } of batch.pods) delivered.set(uid, generation);
          outbox.settle(batch, outcome);
        };
        const take = (lanes: number): void => {
          const batch = outbox.take(lanes);
          if (batch === undefined) return;
          const busy = new Set(flying.flatMap(({ pods }) => pods.map(({ uid }) => uid)));
          expect(batch.pods.filter(({ uid }) => busy.has(uid))).toEqual([]);
          flying.push(batch);
        };
        for (const [time, one] of steps.entries())
          if (one.do === 'add') {
            newest.set(one.uid, time);
            outbox.add(key(one.uid, time));
          } else if (one.do === 'take') take(one.lanes);
          else if (one.do === 'snapshot') outbox.addSnapshot([]);
          else settle(one.do);
        while (flying.length > 0 || outbox.isReady) {
          take(1);
          settle('done');
        }
        expect(delivered).toEqual(newest);
        expect(outbox.size).toBe(0);
      }),
    );
  });
});
