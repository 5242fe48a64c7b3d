/**
 * Kubernetes quantities (`100m`, `1.5Gi`, `2e3`) as whole nano-units, so that sums and comparisons are exact.
 * Upstream rule: apimachinery `resource.Quantity`; what is finer than nano is rounded away from zero.
 */

/** A quantity in 10⁻⁹ of its unit (cores, bytes, pieces). */
export type NanoUnits = bigint;

/** One whole unit: a core, a byte, a piece. */
export const oneUnit: NanoUnits = 1_000_000_000n;

const decimalExponents: ReadonlyMap<string, number> = new Map([
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
]);

const binaryExponents: ReadonlyMap<string, bigint> = new Map([
  ['Ei', 60n],
  ['Pi', 50n],
  ['Ti', 40n],
  ['Gi', 30n],
  ['Mi', 20n],
  ['Ki', 10n],
]);

const shape = /^([+-]?)(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?$/;
const maxLength = 64;

/** The quotient rounded up; `divisor` > 0. */
export function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend > quotient * divisor ? quotient + 1n : quotient;
}

function scale(digits: bigint, exponent: number): NanoUnits {
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : ceilDivide(digits, 10n ** BigInt(-exponent));
}

/** Nano-units, or undefined when the text is no quantity. Exponents have at most two digits; text at most 64 characters. */
export function parseQuantity(text: string): NanoUnits | undefined {
  const match = text.length <= maxLength ? shape.exec(text) : null;
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  const shift = binaryExponents.get(suffix);
  const exponent = decimalExponents.get(suffix) ?? (shift === undefined ? Number(suffix.slice(1)) : 0);
  const magnitude = scale(digits << (shift ?? 0n), exponent - fraction.length + 9);
  return sign === '-' ? -magnitude : magnitude;
}

/** -1, 0 or 1. */
export const compareQuantities = (left: NanoUnits, right: NanoUnits): -1 | 0 | 1 =>
  left < right ? -1 : left > right ? 1 : 0;

function formatBinary(value: NanoUnits): string | undefined {
  for (const [suffix, shift] of binaryExponents) {
    const unit = oneUnit << shift;
    if (value !== 0n && value % unit === 0n) return `${value / unit}${suffix}`;
  }
  return undefined;
}

/** The shortest exact text: whole number and the largest suffix that fits. `binary` prefers `Ki` … `Ei`. */
export function formatQuantity(value: NanoUnits, format: 'decimal' | 'binary' = 'decimal'): string {
  if (value === 0n) return '0';
  const binary = format === 'binary' ? formatBinary(value) : undefined;
  if (binary !== undefined) return binary;
  for (const [suffix, exponent] of decimalExponents) {
    const unit = 10n ** BigInt(exponent + 9);
    if (value % unit === 0n) return `${value / unit}${suffix}`;
  }
  return `${value}n`;
}

/** Whole units, rounded up: bytes of a memory quantity, for instance. */
export const ceilUnits = (value: NanoUnits): bigint => ceilDivide(value, oneUnit);

/** Hundredths of a core, rounded up: ACI's step. */
export const ceilCentiCores = (value: NanoUnits): number => Number(ceilDivide(value, oneUnit / 100n));

/** Tenths of a gigabyte (10⁸ bytes), rounded up: ACI's step. */
export const ceilDeciGigabytes = (value: NanoUnits): number => Number(ceilDivide(value, oneUnit * 100_000_000n));
