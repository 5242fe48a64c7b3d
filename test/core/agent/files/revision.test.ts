import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinedFiles, withGiven } from '../../../../shared/core/agent/files/file-memory.ts';
import type { KnownFiles } from '../../../../shared/core/agent/files/file-memory.ts';
import { contentRevision, renewalSeconds, volumeRevision } from '../../../../shared/core/agent/files/revision.ts';

const key = Buffer.alloc(32, 1);
const file = fc.record({
  path: fc.constantFrom('a', 'b', 'c', 'd/a'),
  mode: fc.constantFrom(0o400, 0o644),
  content: fc.uint8Array({ maxLength: 4 }),
});
const files = fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 4 });
const textOf = (list: readonly { path: string; mode: number; content: Uint8Array }[]): string =>
  JSON.stringify(
    list
      .map(({ path, mode, content }) => [path, mode, [...content]])
      .toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1)),
  );

describe('a revision', () => {
  it('is the same for the same files, in any order, and for no others', () =>
    fc.assert(
      fc.property(files, files, (one, other) => {
        expect(contentRevision(key, one.toReversed())).toBe(contentRevision(key, one));
        expect(contentRevision(key, one) === contentRevision(key, other)).toBe(textOf(one) === textOf(other));
      }),
    ));

  it('is another one where the bytes of one file read like two', () => {
    const of = (path: string, text: string) => ({ path, mode: 420, content: Buffer.from(text) });
    expect(contentRevision(key, [of('a', '1["b",420]2')])).not.toBe(contentRevision(key, [of('a', '1'), of('b', '2')]));
  });

  it('is nothing that can be made without the key', () =>
    expect(contentRevision(Buffer.alloc(32, 2), [])).not.toBe(contentRevision(key, [])));

  it('says when its tokens are to be renewed', () => {
    expect(volumeRevision('x', undefined)).toBe('x');
    expect(volumeRevision('x', 1)).not.toBe(volumeRevision('x', 2));
  });

  it.each([
    [600, 480],
    [3_607, 2_885],
    [86_400, 69_120],
    [31_536_000, 86_400],
  ])('a token of %i s is renewed after %i', (life, after) => expect(renewalSeconds(life)).toBe(after));
});

describe('what two wrote into a row', () => {
  const memory = (nonce: string, version: string): KnownFiles => ({
    key: { kid: 'r1', nonce },
    volumes: { v: { container: 'c', version } },
  });
  it.each<[string, KnownFiles | undefined, KnownFiles | undefined, KnownFiles | undefined]>([
    ['what agents were given stays', memory('n', 'old'), memory('n', 'new'), memory('n', 'new')],
    ['another PUT forgets it', memory('m', 'made'), memory('n', 'new'), memory('m', 'made')],
    ['a PUT without live volumes forgets it', 'none', memory('n', 'new'), 'none'],
    ['what was found out stays', undefined, memory('n', ''), memory('n', '')],
    ['nothing is nothing', undefined, undefined, undefined],
    ['a new row of old tables', memory('n', 'made'), undefined, memory('n', 'made')],
  ])('%s', (_, ours, theirs, joined) => expect(joinedFiles(ours, theirs)).toEqual(joined));

  it('a volume without tokens any more has no time to renew them', () => {
    const before = { key: { kid: 'r1', nonce: 'n' }, volumes: { v: { container: 'c', version: 'a', renewAt: 1 } } };
    expect(withGiven(before, new Map([['v', { version: 'b' }]])).volumes).toEqual({
      v: { container: 'c', version: 'b' },
    });
  });
});
