/** One line of the page. */
export interface Figure {
  readonly name: string;
  /** `undefined`: it could not be measured, which misses its goal. */
  readonly value: number | undefined;
  readonly unit: 'ms' | 's' | 'MB' | 'kB' | 'MiB' | 'USD' | '%' | '';
  readonly goal?: Goal;
  /** How it was taken, and what it stands for. */
  readonly note?: string;
}

export type Goal = { readonly atMost: number } | { readonly exactly: number };

export type Verdict = 'met' | 'missed' | 'no goal';

/** What one benchmark found. */
export interface Section {
  readonly title: string;
  /** How it was measured, in a sentence or two. */
  readonly method: string;
  readonly figures: readonly Figure[];
}

export function verdictOf({ value, goal }: Figure): Verdict {
  if (goal === undefined) return 'no goal';
  if (value === undefined || !Number.isFinite(value)) return 'missed';
  const isMet = 'atMost' in goal ? value <= goal.atMost : value === goal.exactly;
  return isMet ? 'met' : 'missed';
}

/** As many digits as a person reads: three, and none behind the point from 100 on. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1_000_000) return withGroups(String(value));
  return withGroups(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2));
}

const withGroups = (digits: string): string => digits.replaceAll(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ',');

export const formatValue = (value: number | undefined, unit: Figure['unit']): string =>
  value === undefined
    ? 'not measured'
    : unit === 'USD'
      ? `$${value.toFixed(2)}`
      : `${formatNumber(value)} ${unit}`.trim();

export const formatGoal = ({ goal, unit }: Figure): string => {
  if (goal === undefined) return '';
  return 'atMost' in goal ? `≤ ${formatValue(goal.atMost, unit)}` : formatValue(goal.exactly, unit);
};
