import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ceilCentiCores,
  ceilDeciGigabytes,
  ceilDivide,
  ceilUnits,
  compareQuantities,
  formatQuantity,
  oneUnit,
  parseQuantity,
} from '../../../shared/core/quantity/quantity.ts';

const units = (text: string): bigint => {
  const value = parseQuantity(text);
  if (value === undefined) throw new Error(`not a quantity: ${text}`);
  return value;
};

describe('a quantity', () => {
  it.each([
    ['0', 0n],
    ['1', oneUnit],
    ['100m', oneUnit / 10n],
    ['0.1', oneUnit / 10n],
    ['.5', oneUnit / 2n],
    ['5.', 5n * oneUnit],
    ['+2', 2n * oneUnit],
    ['-2', -2n * oneUnit],
    ['250u', 250_000n],
    ['7n', 7n],
    ['0.1n', 1n],
    ['3k', 3000n * oneUnit],
    ['1M', 10n ** 6n * oneUnit],
    ['1E', 10n ** 18n * oneUnit],
    ['1E3', 1000n * oneUnit],
    ['1e3', 1000n * oneUnit],
    ['15e-1', (3n * oneUnit) / 2n],
    ['1Ki', 1024n * oneUnit],
    ['1.5Gi', 3n * 2n ** 29n * oneUnit],
    ['1Ei', 2n ** 60n * oneUnit],
  ])('%s is read exactly', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each(['', '.', '-', 'm', '1 Gi', '1gi', '1K', '1mm', '0x10', '1e', '1e+', '1e999', 'NaN', '1,5', '1'.repeat(65)])(
    '%j is none',
    (text) => {
      expect(parseQuantity(text)).toBeUndefined();
    },
  );

  it('survives being written and read again', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.constantFrom('decimal', 'binary'),
        (value, format) => {
          expect(parseQuantity(formatQuantity(value, format))).toBe(value);
        },
      ),
    );
  });

  it('is the sum of its parts whatever the suffix', () => {
    const suffix = fc.constantFrom(
      'n',
      'u',
      'm',
      '',
      'k',
      'M',
      'G',
      'T',
      'P',
      'E',
      'Ki',
      'Mi',
      'Gi',
      'Ti',
      'Pi',
      'Ei',
      'e3',
      'E-3',
    );
    fc.assert(
      fc.property(fc.nat(), fc.nat(), suffix, (left, right, end) => {
        expect(units(`${left}${end}`) + units(`${right}${end}`)).toBe(units(`${left + right}${end}`));
      }),
    );
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['bigint', 'undefined']).toContain(typeof parseQuantity(text));
      }),
    );
  });

  it.each([
    ['128Mi', 'binary', '128Mi'],
    ['1000Ki', 'binary', '1000Ki'],
    ['1Gi', 'decimal', '1073741824'],
    ['1000m', 'decimal', '1'],
    ['1500m', 'decimal', '1500m'],
    ['0.5', 'binary', '500m'],
  ] as const)('%s in %s form is %s', (text, format, shown) => {
    expect(formatQuantity(units(text), format)).toBe(shown);
  });
});

describe('rounding for ACI', () => {
  it.each([
    ['1m', 1],
    ['10m', 1],
    ['11m', 2],
    ['250m', 25],
    ['1', 100],
  ])('%s cores take %i hundredths', (text, steps) => {
    expect(ceilCentiCores(units(text))).toBe(steps);
  });

  it.each([
    ['1', 1],
    ['100M', 1],
    ['128Mi', 2],
    ['1Gi', 11],
    ['1G', 10],
  ])('%s bytes take %i tenths of a gigabyte', (text, steps) => {
    expect(ceilDeciGigabytes(units(text))).toBe(steps);
  });

  it('rounds up, also below zero', () => {
    expect(ceilDivide(7n, 2n)).toBe(4n);
    expect(ceilDivide(-7n, 2n)).toBe(-3n);
    expect(ceilUnits(units('1.1'))).toBe(2n);
    expect(compareQuantities(1n, 2n)).toBe(-1);
    expect(compareQuantities(2n, 1n)).toBe(1);
    expect(compareQuantities(2n, 2n)).toBe(0);
  });
});
