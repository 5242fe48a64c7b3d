import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideElection,
  heldBy,
  leaseDurationMs,
  observe,
  released,
  renewDeadlineMs,
  retryPeriodMs,
  termEndsAt,
} from '../../infra/cluster/relay/election/decide-election.ts';
import type { Observed } from '../../infra/cluster/relay/election/decide-election.ts';
import { formatElectionPatch, parseElectionRecord } from '../../infra/cluster/relay/election/election-record.ts';
import type { ElectionRecord } from '../../infra/cluster/relay/election/election-record.ts';

const empty: ElectionRecord = {
  resourceVersion: '1',
  holderIdentity: '',
  leaseDurationSeconds: 0,
  acquireTime: '',
  renewTime: '',
  leaseTransitions: 0,
};
const held = (holderIdentity: string, over: Partial<ElectionRecord> = {}): ElectionRecord => ({
  ...empty,
  holderIdentity,
  leaseDurationSeconds: 15,
  renewTime: '2026-11-23T11:00:00.000000Z',
  ...over,
});

describe('whose turn it is', () => {
  const seen = (record: ElectionRecord, changedAt: number): Observed => ({ record, changedAt });
  it.each([
    ['a Lease that nobody ever held is free', seen(empty, 0), 0, { kind: 'acquire' }],
    ['one that was left is free at once', seen(released(held('b'), 't'), 1000), 1000, { kind: 'acquire' }],
    ['our own is renewed', seen(held('a'), 0), 1000, { kind: 'renew' }],
    ['our own is renewed however old it is', seen(held('a'), 0), 99_000, { kind: 'renew' }],
    ["another's is polled again in 2 s", seen(held('b'), 1000), 1000, { kind: 'wait', forMs: 2000 }],
    ['… or when it could be taken, if that is sooner', seen(held('b'), 1000), 15_500, { kind: 'wait', forMs: 500 }],
    ['… and is taken when it was frozen for 15 s', seen(held('b'), 1000), 16_000, { kind: 'acquire' }],
    ['its own duration counts', seen(held('b', { leaseDurationSeconds: 60 }), 0), 59_999, { kind: 'wait', forMs: 1 }],
    ['without one, ours', seen(held('b', { leaseDurationSeconds: 0 }), 0), 14_999, { kind: 'wait', forMs: 1 }],
    [
      'its times are nobody’s clock: one of the year 1 is no reason to take it',
      seen(held('b', { renewTime: '0001-01-01T00:00:00.000000Z' }), 1000),
      2000,
      { kind: 'wait', forMs: 2000 },
    ],
  ] as const)('%s', (_sentence, observed, now, decision) =>
    expect(decideElection(observed, 'a', now)).toEqual(decision),
  );
});

describe('a sign of life', () => {
  const before: Observed = { record: held('b'), changedAt: 100 };
  it.each([
    ['is a renewTime', held('b', { renewTime: '2026-11-23T11:00:02.000000Z' }), 500],
    ['is a renewTime that went back', held('b', { renewTime: '2020-11-23T11:00:02.000000Z' }), 500],
    ['is another holder', held('c'), 500],
    ['is no label that somebody set', held('b', { resourceVersion: '9' }), 100],
  ])('%s', (_sentence, record, changedAt) => expect(observe(before, record, 500)).toEqual({ record, changedAt }));
});

describe('the record', () => {
  it('that takes a Lease counts a transition and the time; one that renews it keeps both', () => {
    const taken = heldBy(held('b', { leaseTransitions: 4 }), 'a', 't1');
    expect(taken).toMatchObject({ holderIdentity: 'a', acquireTime: 't1', renewTime: 't1', leaseTransitions: 5 });
    expect(heldBy(taken, 'a', 't2')).toMatchObject({ acquireTime: 't1', renewTime: 't2', leaseTransitions: 5 });
    expect(taken.leaseDurationSeconds).toBe(15);
  });

  it('is written over the one that was read, and nothing else of the object', () => {
    expect(formatElectionPatch(held('a', { resourceVersion: '7' }))).toMatchObject({
      metadata: { resourceVersion: '7' },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 },
    });
  });

  it.each([
    [{ kind: 'Lease', metadata: { name: 'relay', uid: 'u', resourceVersion: '1' }, spec: {} }, empty],
    [{ kind: 'Lease', metadata: { name: 'relay', uid: 'u', resourceVersion: '1' } }, empty],
    [
      { metadata: { name: 'relay', uid: 'u', resourceVersion: '1' }, spec: { holderIdentity: null, renewTime: null } },
      empty,
    ],
    [{ kind: 'ConfigMap', metadata: { name: 'relay', uid: 'u', resourceVersion: '1' } }, undefined],
    [{ kind: 'Lease', metadata: {} }, undefined],
    [undefined, undefined],
  ])('%j is read', (json, record) => expect(parseElectionRecord(json)).toEqual(record));
});

/** One process in a world of virtual time: it may freeze, lose requests, or get an answer late. */
class Replica {
  observed: Observed | undefined;
  termEnd = -Infinity;
  nextAt = 0;
  readonly name: string;
  /** Of its own clock: no two agree. */
  readonly offset: number;

  constructor(name: string, offset: number) {
    this.name = name;
    this.offset = offset;
  }

  isLeading(now: number): boolean {
    return now + this.offset < this.termEnd;
  }

  turn(store: { record: ElectionRecord }, now: number, late: { readonly ms: number; readonly isLost: boolean }): void {
    const mine = now + this.offset;
    this.observed = observe(this.observed, store.record, mine);
    const decision = decideElection(this.observed, this.name, mine);
    if (decision.kind === 'wait') {
      this.termEnd = -Infinity;
      this.nextAt = now + decision.forMs;
      return;
    }
    const next = heldBy(this.observed.record, this.name, String(now));
    store.record = { ...next, resourceVersion: String(Number(store.record.resourceVersion) + 1) };
    // Its answer may come late, or never: the term is that of the sending.
    this.nextAt = now + retryPeriodMs + late.ms;
    if (!late.isLost) this.termEnd = termEndsAt(mine);
  }
}

describe('two replicas', () => {
  const step = fc.record({
    ms: fc.integer({ min: 0, max: 1500 }),
    isLost: fc.boolean(),
    frozenMs: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ max: 40_000, min: 0 }) },
    ),
  });

  it('never lead at once, whatever is frozen, is lost or late, and whatever their clocks say', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), fc.integer(), (steps, offset) => {
        const store = { record: empty };
        const replicas = [new Replica('a', 0), new Replica('b', offset)] as const;
        let now = 0;
        for (const { ms, isLost, frozenMs } of steps) {
          const [next] = replicas.toSorted((x, y) => x.nextAt - y.nextAt);
          if (next === undefined) return;
          now = Math.max(now, next.nextAt);
          expect(replicas.filter((one) => one.isLeading(now)).length).toBeLessThanOrEqual(1);
          next.turn(store, now, { ms, isLost });
          next.nextAt += frozenMs;
          expect(replicas.filter((one) => one.isLeading(now)).length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it.each([[0], [700], [1999]])('%d ms after a renewal the leader dies: the other leads within 17 s', (diesAfterMs) => {
    const store = { record: empty };
    const [a, b] = [new Replica('a', 0), new Replica('b', 123_456)];
    const well = { ms: 0, isLost: false };
    for (let now = 0; now <= 20_000 + diesAfterMs; now += 1) {
      if (a.nextAt <= now) a.turn(store, now, well);
      if (b.nextAt <= now) b.turn(store, now, well);
    }
    const diedAt = 20_000 + diesAfterMs;
    let now = diedAt;
    for (; !b.isLeading(now); now += 1) if (b.nextAt <= now) b.turn(store, now, well);
    expect(now - diedAt).toBeLessThanOrEqual(leaseDurationMs + retryPeriodMs);
    expect(a.isLeading(now)).toBe(false);
    expect(now - a.termEnd).toBeGreaterThanOrEqual(leaseDurationMs - renewDeadlineMs);
  });
});
