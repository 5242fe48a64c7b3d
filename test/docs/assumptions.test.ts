import { describe, expect, it } from 'vitest';
import { assumptions } from '../../shared/core/agent/assumptions.ts';
import type { Assumption } from '../../shared/core/agent/assumptions.ts';
import { read } from './documents.ts';

const rows = [...read('docs/assumptions.md').matchAll(/^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, id = '', sentence = '', , follows = '']) => ({ id, sentence, follows }),
);
const rowsOfCode: readonly Assumption[] = assumptions;
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

  it.each(rowsOfCode)('says what follows from $id as the code has it', ({ id, refused, without }) => {
    const follows = plain(rows.find((one) => one.id === id)?.follows ?? '');
    const said = [
      ...(refused.length === 0 ? [] : [`Refused: ${plain(refused.join('; '))}`]),
      ...(without.length === 0 ? [] : [`As without the agent: ${plain(without.join('; '))}`]),
    ].join('. ');
    // Behind it come other sentences, or none; where nothing follows what is done instead.
    expect(`${follows}.`.startsWith(`${said}${said === '' ? '' : '.'}`)).toBe(true);
    expect(follows.match(/Refused: |As without the agent: /g) ?? []).toHaveLength(
      Number(refused.length > 0) + Number(without.length > 0),
    );
    expect(said !== '' || /nothing|goes by|waits/.test(follows)).toBe(true);
  });
});
