import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitLogs, joinLogs, lastLines, sizeOf } from '../../../shared/core/logs/kept-log.ts';
import { formatKeptLogs, parseKeptLogs } from '../../../shared/wire/kept-log.ts';

const log = (container: string, text: string) => ({ container, text });
const texts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 });
const logsOf = (all: readonly string[]) => all.map((text, index) => log(`c${String(index)}`, text));

describe('logs that are kept', () => {
  it('leave what a short one does not need to the long ones', () =>
    expect(fitLogs([log('a', '1\n'), log('b', '111111\n222\n')], 10)).toEqual([log('a', '1\n'), log('b', '222\n')]));

  it('are cut where a line begins, and inside one that is too long', () => {
    expect(fitLogs([log('a', '11\n22\n33\n')], 6)).toEqual([log('a', '22\n33\n')]);
    expect(fitLogs([log('a', '11\n22\n33\n')], 8)).toEqual([log('a', '22\n33\n')]);
    expect(fitLogs([log('a', '11\n2222222')], 4)).toEqual([log('a', '2222')]);
    expect(fitLogs([log('a', 'ää')], 3)).toEqual([log('a', 'ä')]);
  });

  it('fit, are the ends of what they were, and are read as they were written', () =>
    fc.assert(
      fc.property(texts, fc.integer({ min: 300, max: 500 }), (all, bytes) => {
        const text = formatKeptLogs(logsOf(all), bytes);
        expect(sizeOf(text)).toBeLessThanOrEqual(bytes);
        const read = parseKeptLogs(text) ?? [];
        expect(read.map(({ container }) => container)).toEqual(all.map((_, index) => `c${String(index)}`));
        for (const [index, { text: kept }] of read.entries())
          expect(all[index]?.toWellFormed().endsWith(kept)).toBe(true);
      }),
    ));

  it.each(['', '\n', '{}\n', '[1]\ntext', '{"schemaVersion":1,"logs":[{"container":"a","length":9}]}\nshort', 'text'])(
    'are not read from %j',
    (text) => expect(parseKeptLogs(text)).toBeUndefined(),
  );
});

describe('a kept log, and what ACI still shows', () => {
  const line = (second: number): string => `2026-11-23T12:00:0${String(second)}Z line ${String(second)}\n`;
  const kept = line(1) + line(2) + line(3);

  it.each([
    ['nothing', '', kept],
    ['the same', kept, kept],
    ['its end', line(3), kept],
    ['its end, and what was written after it was kept', line(3) + line(4), kept + line(4)],
    ['only what was written afterwards', line(4), kept + line(4)],
  ])('is one where it shows %s', (_, shown, whole) => expect(joinLogs(kept, shown)).toBe(whole));

  it('is ACI’s where nothing was kept', () => expect(joinLogs('', kept)).toBe(kept));

  it('goes on where a line was cut', () =>
    expect(joinLogs(line(1) + line(2).slice(0, 30), line(1) + line(2))).toBe(line(1) + line(2)));

  it('is counted from its end', () => {
    expect([0, 2, 9].map((count) => lastLines(kept, count))).toEqual(['', line(2) + line(3), kept]);
    expect(lastLines(`${kept}unfinished`, 1)).toBe('unfinished');
  });
});
