/** The page of operations says of each event of pods what the table says. */
import { describe, expect, it } from 'vitest';
import { noticeEvent, podEvents } from '../../shared/core/pod-events/table.ts';
import { read } from './documents.ts';

const page = read('docs/operations.md');
const section = page.slice(page.indexOf('## Events of pods'), page.indexOf('## Waiting reasons of pods'));
const rows = [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|/gm)].map(
  ([, reason = '', type = '', again = '']) => ({
    reason,
    type,
    again,
  }),
);

const kinds = Object.values(podEvents);
/** It has its row among the waiting reasons. */
const elsewhere = new Set(['ErrImageNeverPull']);
const words = { once: 'once', 'each-time': 'each time', 'while-it-lasts': 'while it lasts' };

describe('docs/operations.md: events of pods', () => {
  it.each(rows)('$reason: $type, $again', ({ reason, type, again }) => {
    const own = kinds.filter((kind) => kind.reason === reason);
    const notices = [
      ...(type.startsWith('Normal') ? [noticeEvent({ reason, message: '' })] : []),
      ...(type.includes('Warning') ? [noticeEvent({ type: 'Warning', reason, message: '' })] : []),
    ];
    const reported = own.length > 0 ? own : notices;
    expect(new Set(type.match(/Normal|Warning/g))).toEqual(new Set(reported.map((kind) => kind.type)));
    expect(new Set(again.split('; '))).toEqual(new Set(reported.map(({ repetition }) => words[repetition])));
  });

  it('has a row for each event of the table', () => {
    const missing = kinds.map(({ reason }) => reason).filter((reason) => !rows.some((row) => row.reason === reason));
    expect(missing.filter((reason) => !elsewhere.has(reason))).toEqual([]);
  });
});
