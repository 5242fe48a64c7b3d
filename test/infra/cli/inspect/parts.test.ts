import { describe, expect, it } from 'vitest';
import { budgetCharges, budgetLevels } from '../../../../infra/cli/inspect/budget-levels.ts';
import { ageSeconds, leaseAge, parseNodeSeen, parsePodsSeen } from '../../../../infra/cli/inspect/cluster-objects.ts';
import { contextFor, parseAnswer } from '../../../../infra/cli/inspect/cluster-reader.ts';
import { durationText } from '../../../../infra/cli/inspect/duration-text.ts';
import { faultReason } from '../../../../infra/cli/inspect/fault-reason.ts';
import { podTroubles } from '../../../../infra/cli/inspect/pod-troubles.ts';
import { armLimits } from '../../../../shared/wire/arm-settings.ts';
import type { BucketState } from '../../../../shared/core/budget/token-bucket.ts';
import { newPodRow } from '../../../../shared/core/reconcile/pod-row.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

describe('reasons', () => {
  it.each([
    [
      { kind: 'transient', message: 'AggregateAuthenticationError: ChainedTokenCredential authentication failed.' },
      'There is no Azure login here, or it has expired: run az login.',
    ],
    [{ kind: 'denied', code: 'AuthorizationFailed', message: 'no right' }, 'AuthorizationFailed: no right.'],
    [{ kind: 'transient', message: 'It took too long.' }, 'It took too long.'],
  ] as const)('%j', (fault, reason) => {
    expect(faultReason(fault)).toBe(reason);
  });
});

describe('durations', () => {
  it.each([
    [-1, '0s'],
    [0, '0s'],
    [59.9, '59s'],
    [60, '1m'],
    [200, '3m20s'],
    [3600, '1h'],
    [7500, '2h5m'],
    [90_000, '1d1h'],
  ])('%d s are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe('what is left of a budget', () => {
  const charges = budgetCharges(armLimits({ ACI_CREATES_PER_5_MINUTES: 100, ACI_CREATES_PER_HOUR: 300 }));
  const levels = (bucket: string, state: BucketState) =>
    budgetLevels(
      charges.filter((charge) => charge.bucket === bucket).map((charge) => ({ charge, state })),
      now,
    );

  it('knows each row of the tables once', () => {
    expect(charges.map(({ bucket }) => bucket).toSorted()).toEqual([
      'create-requests',
      'delete-requests',
      'deletes',
      'logs',
      'reads',
      'writes',
    ]);
  });
  it('fills a bucket up to now', () => {
    expect(levels('reads', { tokens: 10, at: now - 2000 })).toEqual([
      { name: 'reads', left: 60, of: 187, fullInSeconds: 6 },
    ]);
  });
  it('is closed after a 429', () => {
    expect(levels('writes', { tokens: 0, at: now, closedUntil: now + 30_000 })).toEqual([
      { name: 'writes', left: 0, of: 175, fullInSeconds: 30, closedForSeconds: 30 },
    ]);
  });
  it('counts what was granted in each window, and when the last of it leaves the window', () => {
    const slot = Math.floor((now - 600_000) / 15_000);
    const recent = Math.floor((now - 30_000) / 15_000);
    expect(
      levels('create-requests', {
        tokens: 0,
        at: now - 1000,
        slots: [
          [slot, 40],
          [recent, 10],
        ],
      }),
    ).toEqual([
      { name: 'creates in 5 minutes', left: 90, of: 100, fullInSeconds: 288 },
      { name: 'creates in 1 hour', left: 250, of: 300, fullInSeconds: 3588 },
    ]);
  });
  it('trickles while nobody knows what was spent', () => {
    const state = { tokens: 0, at: now, slots: [], presumed: { until: now + 60_000, left: 0 } };
    expect(levels('delete-requests', state)[0]).toEqual({
      name: 'deletes in 5 minutes',
      left: 0,
      of: 100,
      fullInSeconds: 60,
      trickles: true,
    });
  });
  it('is a beginning where nobody knows, and something is open', () => {
    const state = { tokens: 0, at: now, slots: [], presumed: { until: now + 60_000, left: 20 } };
    expect(levels('delete-requests', state)[0]).toMatchObject({ left: 20, isPresumed: true });
  });
});

describe('what the API server answers', () => {
  it('has its time', () => {
    expect(parseAnswer({ kind: 'answered', status: 200, text: '{"a":1}', serverMs: now })).toEqual({
      kind: 'read',
      value: { json: { a: 1 }, serverMs: now },
    });
  });
  it('is nothing where there is no such object, and a reason where it is no JSON or did not come', () => {
    expect(parseAnswer({ kind: 'not-found', message: 'nodes "x" not found' })).toEqual({
      kind: 'read',
      value: undefined,
    });
    const others = [
      parseAnswer({ kind: 'answered', status: 200, text: '<html>' }),
      parseAnswer({ kind: 'unreachable', why: 'unknown name' }),
      parseAnswer({ kind: 'forbidden', message: 'nodes "a" is forbidden: User "me" cannot get resource' }),
    ];
    expect(others.map((part) => part.kind === 'unreadable' && part.reason)).toEqual([
      'The API server did not answer in JSON.',
      "the cluster's API server cannot be reached: its name is not known here.",
      'nodes "a" is forbidden: User "me" cannot get resource.',
    ]);
  });
  it('chooses the context that leads to the registered server', () => {
    const known = {
      current: 'a',
      contexts: [
        { name: 'a', server: 'https://a.example' },
        { name: 'b', server: 'https://B.example:443/' },
      ],
    };
    expect(contextFor('https://b.example', known, undefined)).toEqual({ context: 'b', leadsThere: true });
    expect(contextFor('https://a.example', known, undefined)).toEqual({ context: 'a', leadsThere: true });
    expect(contextFor('https://c.example', known, undefined)).toEqual({ context: 'a', leadsThere: false });
    expect(contextFor('https://b.example', known, 'a')).toEqual({ context: 'a', leadsThere: false });
  });
});

describe('what the API server shows', () => {
  it('counts a Lease by its own time, and what was written within the last second as now', () => {
    const lease = {
      metadata: { name: 'n', uid: 'u', resourceVersion: '1' },
      spec: { renewTime: '2026-11-23T11:59:48.500000Z' },
    };
    expect(leaseAge(lease, now)).toBe(12);
    expect(leaseAge(lease, undefined)).toBeUndefined();
    expect(leaseAge({}, now)).toBeUndefined();
    expect(ageSeconds(now, now + 900)).toBe(0);
    expect(ageSeconds(now, now + 5000)).toBe(-5);
  });
  it('takes a Node with nothing in it for one that is not ready', () => {
    const metadata = { name: 'n', uid: 'u', resourceVersion: '1' };
    expect(parseNodeSeen({ metadata, spec: {}, status: {} }, now)).toMatchObject({
      ready: 'absent',
      unschedulable: false,
      version: '',
    });
    expect(parseNodeSeen('x', now)).toBeUndefined();
    expect(parsePodsSeen({ items: 3 }, now)).toBeUndefined();
  });
});

describe('pods that somebody should know of', () => {
  const row = (uid: string, changes: object) => ({
    ...newPodRow({ namespace: 'd', name: uid, uid, group: uid }),
    ...changes,
  });
  const pod = (uid: string, phase: string, age: number) => ({ namespace: 'd', name: uid, uid, phase, ageSeconds: age });
  it('are those with a fault, many failures, a late poll, or a long wait; the rest is not reported', () => {
    const rows = [
      row('fine', { dueAt: now + 1000 }),
      row('late', { dueAt: now - 121_000 }),
      row('settled', { dueAt: now - 121_000, settled: true }),
      row('failing', { attempt: 3 }),
      row('passing', { attempt: 2 }),
      row('faulty', { fault: { reason: 'R', message: 'm' }, dueAt: now + 9000, attempt: 1 }),
    ];
    const pods = [
      pod('fine', 'Pending', 600),
      pod('unknown', 'Pending', 601),
      pod('running', 'Running', 9000),
      pod('faulty', 'Pending', 30),
    ];
    expect(podTroubles(rows, pods, now)).toEqual([
      {
        namespace: 'd',
        name: 'faulty',
        uid: 'faulty',
        fault: { reason: 'R', message: 'm' },
        attempt: 1,
        dueInSeconds: 9,
        pendingForSeconds: 30,
      },
      { namespace: 'd', name: 'unknown', uid: 'unknown', attempt: 0, pendingForSeconds: 601 },
      { namespace: 'd', name: 'failing', uid: 'failing', attempt: 3 },
      { namespace: 'd', name: 'late', uid: 'late', attempt: 0, dueInSeconds: -121 },
    ]);
  });
});
