import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { defined } from '../../shared/core/defined.ts';

it('keeps each member that has a value, falsy ones too, in their order', () => {
  const members = { a: 0, b: undefined, c: '', d: false, e: null };
  expect(Object.entries(defined(members))).toEqual([
    ['a', 0],
    ['c', ''],
    ['d', false],
    ['e', null],
  ]);
  expect(members).toHaveProperty('b', undefined);
});

it('spread over another object takes nothing away', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.integer()),
      fc.dictionary(fc.string(), fc.option(fc.integer(), { nil: undefined })),
      (base, more) => {
        const result = { ...base, ...defined(more) };
        // Names may be those of Object's own members, which every object inherits.
        for (const [name, value] of Object.entries(result)) {
          const given = Object.hasOwn(more, name) ? more[name] : undefined;
          expect(value).toBe(given ?? base[name]);
        }
        expect(Object.keys(result)).toEqual(expect.arrayContaining(Object.keys(base)));
      },
    ),
  );
});
