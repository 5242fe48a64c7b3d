import { describe, expect, it } from 'vitest';
import { planWrite, remember, repeatAfterMs } from '../../../shared/core/pod-events/marks.ts';
import type { EventWrite } from '../../../shared/core/pod-events/marks.ts';
import type { PodEvent } from '../../../shared/core/pod-events/pod-event.ts';
import { noon } from '../../fixtures/pods.ts';

const trouble = (message: string, more: Partial<PodEvent> = {}): PodEvent => ({
  type: 'Warning',
  reason: 'ProviderError',
  message,
  repetition: 'while-it-lasts',
  ...more,
});

/** What is written when these happen one after another, each so many minutes after noon; the row's marks go from each to the next. */
function written(...happened: readonly (readonly [minutes: number, event: PodEvent])[]) {
  const writes: EventWrite[] = [];
  let marks: readonly string[] = [];
  for (const [minutes, event] of happened) {
    const write = planWrite(event, marks, noon + minutes * 60_000);
    if (write === undefined) continue;
    writes.push(write);
    if (write.mark !== undefined) marks = remember(marks, write.mark);
  }
  const names = [...new Set(writes.map(({ key }) => key))];
  return {
    reported: writes.map(({ kind, key, count }) => `${kind} ${String(names.indexOf(key))} ×${String(count)}`),
    objects: names.length,
    last: writes.at(-1)?.message,
    marks,
  };
}

describe('an event', () => {
  it('that is reported once is', () => {
    const event = trouble('m', { repetition: 'once' });
    expect(written([0, event], [100, event]).reported).toEqual(['create 0 ×1']);
  });

  it('of a trouble that lasts is repeated, a quarter of an hour later at the earliest', () => {
    const tries = [0, 5, 10, 14, 15, 20, 29, 30, 90].map((minutes) => [minutes, trouble('m')] as const);
    expect(written(...tries).reported).toEqual(['create 0 ×1', 'repeat 0 ×2', 'repeat 0 ×3', 'repeat 0 ×4']);
  });

  it('has the count that is known of it, and never a lower one', () => {
    const restarts = [2, 9, 9].map((count, index) => [index * 20, trouble('m', { count })] as const);
    expect(written(...restarts).reported).toEqual(['create 0 ×2', 'repeat 0 ×9', 'repeat 0 ×10']);
  });

  it('of what happens again and again needs no mark the first time, and is written only when there is more of it', () => {
    const started = (count: number) => trouble('m', { repetition: 'each-time', count });
    const { reported, marks } = written([0, started(1)]);
    expect([reported, marks]).toEqual([['create 0 ×1'], []]);
    const again = written([0, started(1)], [1, started(2)], [5, started(3)], [20, started(7)], [60, started(7)]);
    expect(again.reported).toEqual(['create 0 ×1', 'repeat 0 ×2', 'repeat 0 ×7']);
  });

  it('written a second time after a crash, before the row knew, is the same one with the same count', () => {
    const marks = remember([], planWrite(trouble('m'), [], noon)?.mark ?? '');
    const twice = [0, 1_000].map((ms) => planWrite(trouble('m'), marks, noon + repeatAfterMs + ms));
    expect(twice.map((write) => [write?.kind, write?.key, write?.count])).toEqual([
      ['repeat', twice[0]?.key, 2],
      ['repeat', twice[0]?.key, 2],
    ]);
  });

  it('is not confused with one of another reason, container or wording', () => {
    const of = (name: string) => ({ container: { member: 'containers', name } as const });
    const events = [
      trouble('a'),
      trouble('b'),
      trouble('a', { reason: 'X' }),
      trouble('a', of('x')),
      trouble('a', of('y')),
    ];
    expect(written(...events.map((event) => [0, event] as const)).objects).toBe(5);
  });
});

describe('words that differ from try to try', () => {
  it.each([
    [
      'tracking ids',
      "Tracking ID is '5d0e6b0c-0000-4000-8000-000000000001'",
      "Tracking ID is 'a1b2c3d4-0000-4000-8000-00000000000f'",
    ],
    ['times', 'failed at 2026-11-23T12:00:00.123Z', 'failed at 2026-11-23T13:10:00Z'],
    ['operation ids', 'operation 0a1b2c3d4e5f60718293 failed', 'operation ffffffff000000001111 failed'],
    ['numbers', 'retry after 37 seconds, 3.5 of 10 used', 'retry after 5 seconds, 10 of 10 used'],
    ['durations', 'waited 30s', 'waited 5m'],
  ])('%s are one event, and it shows the last of them', (_, first, second) => {
    const { objects, last, reported } = written([0, trouble(first)], [20, trouble(second)]);
    expect([objects, last, reported]).toEqual([1, second, ['create 0 ×1', 'repeat 0 ×2']]);
  });

  it.each([
    ['names in quotes', 'secret "s-1" not found', 'secret "s-2" not found'],
    ['tags of images', 'busybox:1.36 is not there', 'busybox:1.37 is not there'],
    ['paths', 'spec.containers[0].image', 'spec.containers[1].image'],
  ])('%s are two', (_, first, second) => expect(written([0, trouble(first)], [0, trouble(second)]).objects).toBe(2));

  it('without end are a handful of events: the rest is reported together', () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
    const { objects, last } = written(...letters.map((one, index) => [index * 10, trouble(`it is ${one}`)] as const));
    expect([objects, last]).toEqual([6, '(combined from similar events): it is z']);
  });
});

describe('the marks in a row', () => {
  it('are few, and those that are reported go last', () => {
    let marks: readonly string[] = [];
    for (let index = 0; index < 40; index += 1) marks = remember(marks, `${String(index).padStart(12, '0')}.a.1`);
    expect([marks.length, marks[0]]).toEqual([32, '000000000008.a.1']);
    expect(remember(marks, '000000000008.b.2').at(-1)).toBe('000000000008.b.2');
    expect(remember(marks, '000000000008.b.2')).toHaveLength(32);
    expect(JSON.stringify(marks).length).toBeLessThan(1_000);
  });

  it('of an older version are nobody’s', () => {
    expect(planWrite(trouble('m'), ['0123456789ab', 'Übel', ''], noon)).toMatchObject({ kind: 'create', count: 1 });
  });
});
