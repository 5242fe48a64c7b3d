import { describe, expect, it } from 'vitest';
import { parseLogFile, parseLogStream, renderLog } from '../../../infra/local/aci/runtime/engine/log-text.ts';

const at = (second: number) => `2026-01-02T03:04:0${second}.123456789+02:00`;
const utc = (second: number) => `2026-01-02T01:04:0${second}.123456789Z`;

describe('log files', () => {
  it.each([
    ['a whole line', `${at(1)} stdout F hello`, [{ timestamp: utc(1), text: 'hello', ended: true }]],
    ['an empty line', `${at(1)} stdout F `, [{ timestamp: utc(1), text: '', ended: true }]],
    ['blanks at both ends', `${at(1)} stderr F  x `, [{ timestamp: utc(1), text: ' x ', ended: true }]],
    [
      'pieces of one line',
      `${at(1)} stdout P ab\n${at(2)} stdout F cd`,
      [{ timestamp: utc(1), text: 'abcd', ended: true }],
    ],
    ['a last line without an end', `${at(1)} stdout P ab`, [{ timestamp: utc(1), text: 'ab', ended: false }]],
    [
      'the rest of a line that was cut off',
      `rest of a line\n${at(1)} stdout F x`,
      [{ timestamp: utc(1), text: 'x', ended: true }],
    ],
    ['nothing', '', []],
  ])('%s', (_name, content, lines) => {
    expect(parseLogFile(`${content}\n`)).toEqual(lines);
  });

  it('does not mix pieces of the two streams', () => {
    const content = [
      `${at(1)} stdout P out`,
      `${at(2)} stderr P err`,
      `${at(3)} stdout F put`,
      `${at(4)} stderr F or`,
    ].join('\n');
    expect(parseLogFile(content).map((line) => line.text)).toEqual(['output', 'error']);
  });
});

describe('log streams', () => {
  it('are split into dated lines', () => {
    expect(parseLogStream(`${at(1)} a b\n${at(2)} \n${at(3)} end`)).toEqual([
      { timestamp: utc(1), text: 'a b', ended: true },
      { timestamp: utc(2), text: '', ended: true },
      { timestamp: utc(3), text: 'end', ended: false },
    ]);
  });
});

describe('rendering', () => {
  const lines = parseLogFile([`${at(1)} stdout F one`, `${at(2)} stdout F two`, `${at(3)} stdout P three`].join('\n'));
  it.each([
    ['all', { timestamps: false }, 'one\ntwo\nthree'],
    ['the last two', { timestamps: false, tail: 2 }, 'two\nthree'],
    ['none', { timestamps: false, tail: 0 }, ''],
    ['more than there are', { timestamps: false, tail: 9 }, 'one\ntwo\nthree'],
    ['with instants', { timestamps: true, tail: 1 }, `${utc(3)} three`],
  ])('%s', (_name, options, text) => {
    expect(renderLog(lines, options)).toBe(text);
  });
});
