import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expand } from '../../../shared/core/pod/expansion.ts';

const values = new Map([
  ['A', { value: 'a', secret: false }],
  ['EMPTY', { value: '', secret: false }],
  ['NESTED', { value: '$(A)', secret: false }],
  ['KEY', { value: 's3cret', secret: true }],
]);

const lookup = (name: string) => values.get(name);

describe('expansion', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['$(A)', 'a'],
    ['x$(A)y$(A)', 'xaya'],
    ['$(EMPTY)', ''],
    ['$(UNKNOWN)', '$(UNKNOWN)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$$', '$'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['$(A$(A)', '$(A$(A)'],
    ['$()', '$()'],
    ['$(NESTED)', '$(A)'],
    ['${A}', '${A}'],
    ['$x$(A)', '$xa'],
    ['$($(A', '$($(A'],
    ['($(A))', '(a)'],
  ])('of %j is %j', (input, value) => {
    expect(expand(input, lookup)).toEqual({ value, secret: false });
  });

  it('remembers that a secret went in', () => {
    expect(expand('k=$(KEY)', lookup)).toEqual({ value: 'k=s3cret', secret: true });
    expect(expand('k=$$(KEY)', lookup)).toEqual({ value: 'k=$(KEY)', secret: false });
  });

  it('leaves text without a dollar alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll('$', '');
        expect(expand(plain, lookup).value).toBe(plain);
      }),
    );
  });

  it.each(['$(', '$', '$(A', '$$('])('keeps %j as it is, however often', (piece) => {
    const text = piece.repeat(100_000);
    expect(expand(text, lookup).value).toBe(text.replaceAll('$$', '$'));
  });
});
