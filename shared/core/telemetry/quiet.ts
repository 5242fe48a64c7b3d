import type { Quiet } from './metrics.ts';

/** A value that was reported, and when. */
export interface ReportedValue {
  readonly value: number;
  readonly atMs: number;
}

/** A value that is not steady, but the same as before, is reported once a minute. */
const repeatMs = 60_000;

/**
 * Whether a gauge's value is worth reporting. Steady values (`quiet`) are repeated rarely, and a zero is not reported before
 * anything else was: who has nothing says nothing.
 */
export function isWorthReporting(
  quiet: Quiet,
  before: ReportedValue | undefined,
  seen: { readonly value: number; readonly nowMs: number },
): boolean {
  if (before === undefined) return quiet.when !== 'unchanged' || seen.value !== 0;
  const age = seen.nowMs - before.atMs;
  if (seen.value === 0 && before.value === 0 && quiet.when === 'unchanged') return false;
  if (isSteady(quiet, before.value, seen.value)) return age >= quiet.repeatSeconds * 1000;
  return seen.value !== before.value || age >= repeatMs;
}

function isSteady({ when }: Quiet, before: number, value: number): boolean {
  if (when === 'unchanged') return before === value;
  if ('atMost' in when) return before <= when.atMost && value <= when.atMost;
  return before >= when.atLeast && value >= when.atLeast;
}
