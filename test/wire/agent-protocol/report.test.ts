import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostReportBytes, parseReport } from '../../../shared/wire/agent-protocol/report.ts';

/** As infra/agent/README.md shows one. */
const sent = {
  schemaVersion: 1,
  podUid: '5d0e6b0c-0000-4000-8000-000000000001',
  nonce: 'aZ09_-aZ09_-aZ09_-aZ09',
  kid: 'r1',
  container: 'web',
  bootId: '019ad1c0ffee-9f86d081',
  number: 7,
  sentAt: '2026-11-30T10:00:00.123Z',
  state: {
    phase: 'running',
    startedAt: '2026-11-30T09:00:00.987654321Z',
    started: true,
    ready: true,
    restarts: 2,
    lastEnded: {
      exitCode: 137,
      signal: 9,
      reason: 'OOMKilled',
      message: 'out\nof memory',
      startedAt: '2026-11-30T08:00:00Z',
      finishedAt: '2026-11-30T08:59:59.5+00:00',
    },
    final: false,
    volumes: { conf: 'revision' },
  },
  events: [
    {
      n: 1,
      type: 'Warning',
      reason: 'Unhealthy',
      message: 'Liveness probe failed: HTTP probe failed with statuscode: 500',
      count: 3,
      firstAt: '2026-11-30T09:10:00Z',
      lastAt: '2026-11-30T09:11:00Z',
    },
  ],
};

type Raw = Readonly<Record<string, unknown>>;
const parsed = (change: Raw = {}) => parseReport(JSON.stringify({ ...sent, ...change }));
const withState = (change: Raw) => parsed({ state: { ...sent.state, ...change } });

describe('a report', () => {
  it('is read as an agent sends it, with its times in ms', () =>
    expect(parsed()).toEqual({
      kind: 'report',
      report: {
        ...sent,
        sentAt: Date.parse('2026-11-30T10:00:00.123Z'),
        state: {
          ...sent.state,
          startedAt: Date.parse('2026-11-30T09:00:00.987Z'),
          lastEnded: {
            ...sent.state.lastEnded,
            startedAt: Date.parse('2026-11-30T08:00:00Z'),
            finishedAt: Date.parse('2026-11-30T08:59:59.5Z'),
          },
        },
        events: [
          {
            n: 1,
            type: 'Warning',
            reason: 'Unhealthy',
            message: sent.events[0]?.message,
            count: 3,
            lastAt: Date.parse('2026-11-30T09:11:00Z'),
          },
        ],
      },
    }));

  it('of a later agent may have more in it', () => expect(parsed({ more: 1 }).kind).toBe('report'));

  it.each<[string, () => ReturnType<typeof parseReport>, string]>([
    ['another version', () => parsed({ schemaVersion: 2 }), 'schemaVersion'],
    ['a container of no name that Kubernetes has', () => parsed({ container: '../x' }), 'container'],
    ['a number that counts nothing', () => parsed({ number: 0 }), 'number'],
    ['a time of a year that is none', () => parsed({ sentAt: '+275760-09-13T00:00:00Z' }), 'sentAt'],
    ['Go’s zero time', () => withState({ startedAt: '0001-01-01T00:00:00Z' }), 'state.startedAt'],
    ['a phase that nobody knows', () => withState({ phase: 'gone' }), 'state.phase'],
    ['an end without an end', () => withState({ phase: 'ended' }), 'state'],
    ['a wait for nothing', () => withState({ phase: 'waiting' }), 'state'],
    [
      'an exit code that is none',
      () => withState({ ended: { ...sent.state.lastEnded, exitCode: 256 } }),
      'state.ended.exitCode',
    ],
    ['a reason that is a sentence', () => withState({ waiting: { reason: 'No way' } }), 'state.waiting.reason'],
    [
      'a message beyond 4,096 characters',
      () => withState({ ended: { ...sent.state.lastEnded, message: 'x'.repeat(4097) } }),
      'state.ended.message',
    ],
    ['more than 50 events', () => parsed({ events: Array.from({ length: 51 }, () => sent.events[0]) }), 'events'],
    ['a list', () => parseReport('[]'), ''],
  ])('with %s is none, and its first wrong place is named', (_, read, field) =>
    expect(read()).toEqual({ kind: 'not-a-report', field }),
  );

  it('is JSON', () => expect(parseReport('{"schemaVersion": 1')).toEqual({ kind: 'not-json' }));

  it('is never read out of garbage, and garbage never throws', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constant(JSON.stringify(sent).slice(0, 200))), (text) => {
        expect(parseReport(text).kind).not.toBe('report');
      }),
    ));

  it('of the most that an agent says fits', () => {
    const event = { ...sent.events[0], message: '\u0001'.repeat(1024) };
    const end = { ...sent.state.lastEnded, message: '"'.repeat(4096) };
    const text = JSON.stringify({
      ...sent,
      state: { ...sent.state, phase: 'ended', ended: end, lastEnded: end },
      events: Array.from({ length: 50 }, () => event),
    });
    expect(text.length).toBeLessThan(mostReportBytes);
    expect(parseReport(text).kind).toBe('report');
  });
});
