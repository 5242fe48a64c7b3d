import { describe, expect, it } from 'vitest';
import { assumptions } from '../../shared/core/agent/assumptions.ts';
import { read } from './documents.ts';

const rows = [...read('docs/assumptions.md').matchAll(/^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, id = '', sentence = '', , follows = '']) => ({ id, sentence, follows }),
);
const plain = (text: string): string => text.replaceAll(/[`’']/g, '');

describe('docs/assumptions.md', () => {
  it('has a row for each assumption, in their order, and no other', () => {
    expect(rows.map(({ id }) => id)).toEqual(assumptions.map(({ id }) => id));
  });

  it.each(assumptions)('says of $id what the code says', ({ id, sentence }) => {
    const row = rows.find((one) => one.id === id);
    // The page is for a reader, and says less of an image.
    expect(plain(row?.sentence ?? '')).toBe(plain(sentence).replace(' of AGENT_DOWNLOAD_IMAGE', ' of the image'));
  });

  it.each(assumptions.filter(({ refused }) => refused.length > 0))('names what $id refuses', ({ id, refused }) => {
    const follows = rows.find((one) => one.id === id)?.follows ?? '';
    expect(`${plain(follows)}.`).toMatch(
      new RegExp(`^Refused: ${plain(refused.join('; ')).replaceAll(/[().]/g, '\\$&')}\\.`),
    );
  });

  it.each(assumptions.filter(({ refused }) => refused.length === 0))(
    'says that $id refuses nothing, or what is done instead',
    ({ id }) => {
      expect(rows.find((one) => one.id === id)?.follows).toMatch(/nothing|goes by|waits/);
    },
  );
});
