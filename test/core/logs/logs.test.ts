import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followCursor, linesAfter } from '../../../shared/core/logs/log-cursor.ts';
import { completeLines, limitToBytes, stripTimestamps } from '../../../shared/core/logs/log-line.ts';
import { parseLogQuery } from '../../../shared/core/logs/log-query.ts';
import { selectLogs } from '../../../shared/core/logs/log-selection.ts';

const at = (second: number, fraction = ''): string => `2023-05-05T00:15:${String(second).padStart(2, '0')}${fraction}Z`;
const content = `${at(1, '.5')} one\n${at(2, '.25')} two\n${at(3)} drei – ü\n`;
const now = Date.parse(at(10));

describe('what of the log is shown', () => {
  it.each([
    ['all, without instants', {}, 'one\ntwo\ndrei – ü\n'],
    ['all, with instants', { timestamps: true }, content],
    ['the last two lines', { tailLines: 2 }, 'two\ndrei – ü\n'],
    ['no line for a tail of 0', { tailLines: 0 }, ''],
    ['all for a tail that is longer than the log', { tailLines: 99 }, 'one\ntwo\ndrei – ü\n'],
    ['the lines of the last 8 seconds, the eighth included', { sinceSeconds: 8 }, 'two\ndrei – ü\n'],
    ['the lines since an instant', { sinceTimeMs: Date.parse(at(3)) }, 'drei – ü\n'],
    ['the tail first, then what is young enough of it', { tailLines: 1, sinceSeconds: 9 }, 'drei – ü\n'],
    ['the first bytes, cut inside a line', { limitBytes: 5 }, 'one\nt'],
    ['no half character', { tailLines: 1, limitBytes: 6 }, 'drei '],
    ['bytes with the instants counted', { timestamps: true, limitBytes: 4 }, '2023'],
  ])('shows %s', (_, options, expected) => {
    expect(selectLogs(content, options, now)).toBe(expected);
  });

  it('shows a last line without a newline as it is, but leaves it to a follower', () => {
    const unfinished = `${content}${at(4)} prompt> `;
    expect(selectLogs(unfinished, { tailLines: 1 }, now)).toBe('prompt> ');
    expect(selectLogs(unfinished, { tailLines: 1, follow: true }, now)).toBe('drei – ü\n');
  });

  it('keeps a line without an instant with the one before it', () => {
    const lines = `cut off\n${at(2)} a\nsecond half\n`;
    expect(selectLogs(lines, { sinceSeconds: 9 }, now)).toBe('a\nsecond half\n');
  });

  it('never cuts a character, whatever the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, bytes) => {
        const cut = limitToBytes(text, bytes);
        expect(new TextEncoder().encode(cut).length).toBeLessThanOrEqual(bytes);
        expect(text.startsWith(cut)).toBe(true);
      }),
    );
  });
});

describe('the query of kubectl logs', () => {
  it.each([
    ['nothing', '', { follow: false, previous: false, timestamps: false }],
    [
      'follow=true&tailLines=5',
      'follow=true&tailLines=5',
      { follow: true, previous: false, timestamps: false, tailLines: 5 },
    ],
    ['tail=all', 'tail=all&tailLines=7', { follow: false, previous: false, timestamps: false }],
    ['the old tail', 'tail=3', { follow: false, previous: false, timestamps: false, tailLines: 3 }],
    [
      'flags as apimachinery reads them',
      'follow=0&previous=False&timestamps=',
      { follow: false, previous: false, timestamps: true },
    ],
    [
      'sinceTime',
      'sinceTime=2023-05-05T00:15:00Z',
      { follow: false, previous: false, timestamps: false, sinceTimeMs: 1683245700000 },
    ],
    ['limitBytes', 'limitBytes=1', { follow: false, previous: false, timestamps: false, limitBytes: 1 }],
    [
      'what it does not know',
      'insecureSkipTLSVerifyBackend=true',
      { follow: false, previous: false, timestamps: false },
    ],
    ['stream=All', 'stream=All', { follow: false, previous: false, timestamps: false }],
  ])('reads %s', (_, query, options) => {
    expect(parseLogQuery(new URLSearchParams(query))).toEqual({ ok: true, options });
  });

  it.each([
    'tailLines=x',
    'tailLines=',
    'sinceSeconds=1.5',
    'sinceTime=yesterday',
    'limitBytes=99999999999999999999',
    'tail=-',
  ])('answers 400 to %s', (query) => {
    expect(parseLogQuery(new URLSearchParams(query))).toEqual({
      ok: false,
      status: 400,
      message: '{"message": "Unable to decode query."}',
    });
  });

  it.each([
    'tailLines=-1',
    'sinceSeconds=0',
    'sinceSeconds=-5',
    'limitBytes=0',
    'stream=Stderr',
    'sinceSeconds=5&sinceTime=2023-05-05T00:15:00Z',
  ])('answers 422 to %s', (query) => {
    expect(parseLogQuery(Object.fromEntries(new URLSearchParams(query)))).toEqual({
      ok: false,
      status: 422,
      message: '{"message": "Invalid request."}',
    });
  });
});

/** A stream whose lines share instants often and texts sometimes, and what each poll sees of it. */
const streamOf = (texts: readonly { readonly text: string; readonly step: number }[], numbered: boolean): string => {
  let nanos = 0;
  return texts
    .map(({ text, step }, index) => {
      nanos += step;
      return `${at(1, `.${String(nanos).padStart(9, '0')}`)} ${numbered ? `${String(index)} ` : ''}${text}\n`;
    })
    .join('');
};
const lines = fc.array(
  fc.record({ text: fc.constantFrom('', 'a', 'b', 'aa', 'ü\r'), step: fc.constantFrom(0, 0, 1, 10) }),
  { maxLength: 40 },
);
const polls = fc.array(fc.nat(2000), { maxLength: 12 });

function followed(windows: readonly string[]): string {
  let cursor = followCursor('');
  let shown = '';
  for (const [index, window] of windows.entries()) {
    const next = linesAfter(window, cursor, { isFinal: index === windows.length - 1 });
    shown += next.text;
    cursor = next.cursor;
  }
  return shown;
}

describe('following a log', () => {
  it('shows the whole stream once, whenever it is polled, cut anywhere, even when all lines are alike', () => {
    fc.assert(
      fc.property(lines, polls, fc.boolean(), (texts, times, isOpen) => {
        const stream = streamOf(texts, false).slice(0, isOpen ? -1 : undefined);
        const ends = times.map((time) => time % (stream.length + 1)).toSorted((a, b) => a - b);
        expect(followed([...ends, stream.length].map((end) => stream.slice(0, end)))).toBe(stream);
      }),
    );
  });

  it('shows every line once when old lines fall off the front, as long as windows meet', () => {
    fc.assert(
      fc.property(
        lines,
        fc.array(fc.record({ more: fc.nat(8), kept: fc.integer({ min: 1, max: 30 }) }), { maxLength: 15 }),
        (texts, steps) => {
          const all = streamOf(texts, true).match(/[^\n]*\n/g) ?? [];
          let end = 0;
          const windows = steps.map(({ more, kept }) => {
            end = Math.min(all.length, end + more);
            return all.slice(Math.max(0, end - Math.max(kept, more + 1)), end).join('');
          });
          expect(followed(windows)).toBe(all.slice(0, end).join(''));
        },
      ),
    );
  });

  it('shows a long stream once through a window that moves in bytes and cuts lines', () => {
    const stream = streamOf(
      Array.from({ length: 4000 }, (_, index) => ({
        text: `line ${String(index)} ${'x'.repeat(index % 50)}`,
        step: index % 3,
      })),
      true,
    );
    const windows = Array.from({ length: 60 }, (_, index) => Math.floor((stream.length * (index + 1)) / 60)).map(
      (end) => stream.slice(Math.max(0, end - 100_000), end),
    );
    expect(followed(windows)).toBe(stream);
  });

  it('goes on in the 16 KB that are left when the container has ended', () => {
    const stream = streamOf(
      Array.from({ length: 3000 }, (_, index) => ({ text: `line ${String(index)}`, step: 1 })),
      true,
    );
    const end = stream.indexOf(' 2900 ');
    const running = stream.slice(0, stream.lastIndexOf('\n', end) + 1);
    expect(followed([running, stream.slice(-16_384)])).toBe(stream);
  });

  it('shows the new output when the container was restarted', () => {
    const before = `${at(1)} start\n${at(2)} crash\n`;
    const after = `${at(9)} start\n`;
    expect(followed([before, '', after, `${after}${at(10)} go\n`])).toBe(`${before}${after}${at(10)} go\n`);
  });

  it('shows what is left when lines came and fell off between two polls', () => {
    expect(followed([`${at(1)} a\n`, `${at(5)} x\n${at(6)} y\n`])).toBe(`${at(1)} a\n${at(5)} x\n${at(6)} y\n`);
  });

  it('shows nothing of an older answer, and goes on where it was', () => {
    const [a, b, c] = [`${at(1)} a\n`, `${at(1)} a\n`, `${at(2)} c\n`];
    expect(followed([a + b, a, a + b + c])).toBe(a + b + c);
    expect(followed([a + b + c, b, a + b + c])).toBe(a + b + c);
    const other = `${at(1)} b\n`;
    expect(followed([a + other, a, a + other + c])).toBe(a + other + c);
  });

  it('waits for the end of a line, and shows it without one only at the end', () => {
    const cursor = followCursor(`${at(1)} a\n${at(2)} par`);
    const waiting = linesAfter(`${at(1)} a\n${at(2)} part`, cursor);
    expect(waiting).toEqual({ text: '', cursor });
    expect(linesAfter(`${at(1)} a\n${at(2)} partial\n`, cursor).text).toBe(`${at(2)} partial\n`);
    expect(linesAfter(`${at(1)} a\n${at(2)} part`, cursor, { isFinal: true }).text).toBe(`${at(2)} part`);
  });

  it('goes on where the selected beginning ended', () => {
    const rest = linesAfter(`${content}${at(4)} four\n`, followCursor(`${content}${at(4)} fo`));
    expect(selectLogs(`${content}${at(4)} fo`, { follow: true }, now) + stripTimestamps(rest.text)).toBe(
      'one\ntwo\ndrei – ü\nfour\n',
    );
  });

  it('counts no unfinished line as complete', () => {
    expect(completeLines('a\nb')).toBe('a\n');
    expect(completeLines('b')).toBe('');
  });
});
