import { expect, it } from 'vitest';
import { mayBeCut } from '../../../shared/core/logs/log-cut.ts';

const stamp = '2026-11-23T11:00:00.000000000Z ';
const lines = (count: number, length: number): string => `${stamp}${'x'.repeat(length - 1)}\n`.repeat(count);

it.each([
  ['a short log is whole', lines(10, 20), false],
  ['no log is whole', '', false],
  ['999 short lines are', lines(999, 5), false],
  ['1,000 lines may be cut', lines(1000, 5), true],
  ['16 KB without the instants may be', lines(162, 101), true],
  ['16 KB with them may be', lines(122, 103), true],
  ['15 KB are whole, however they are counted', lines(114, 100), false],
  ['what is far longer was kept whole', lines(400, 500), false],
])('%s', (_, content, cut) => expect(mayBeCut(content)).toBe(cut));
