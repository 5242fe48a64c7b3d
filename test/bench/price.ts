/**
 * What Flex Consumption bills, on demand: USD of East US. An execution's time counts from 1 s on, in steps of 100 ms, with the
 * memory of its instance; the grant is per subscription and month.
 */
export const flexRates = {
  perGbSecond: 0.000026,
  perMillionExecutions: 0.4,
  grantGbSeconds: 100_000,
  grantExecutions: 250_000,
  leastMs: 1000,
  stepMs: 100,
} as const;

/** The month that prices are told for: a twelfth of a year, 30.4 days. */
export const monthSeconds = 30.4 * 86_400;

/** What was seen of one function. */
export interface Usage {
  readonly executions: number;
  /** Mean time of one execution. */
  readonly meanMs: number;
}

export interface Month {
  readonly executions: number;
  readonly gbSeconds: number;
  readonly usdBeyondGrant: number;
  readonly usdWithoutGrant: number;
}

/** Time of one execution as it is billed, in ms. */
export function billedMs(durationMs: number): number {
  return Math.max(flexRates.leastMs, Math.ceil(durationMs / flexRates.stepMs) * flexRates.stepMs);
}

/** A whole month of what was seen in `seconds`, on instances of `instanceGb`. */
export function monthOf(usages: readonly Usage[], seconds: number, instanceGb: number): Month {
  const factor = monthSeconds / seconds;
  const executions = sum(usages.map((usage) => usage.executions)) * factor;
  const billedSeconds = sum(usages.map(({ executions: count, meanMs }) => (count * billedMs(meanMs)) / 1000)) * factor;
  const gbSeconds = billedSeconds * instanceGb;
  return {
    executions,
    gbSeconds,
    usdWithoutGrant: usd(executions, gbSeconds),
    usdBeyondGrant: usd(
      Math.max(0, executions - flexRates.grantExecutions),
      Math.max(0, gbSeconds - flexRates.grantGbSeconds),
    ),
  };
}

const usd = (executions: number, gbSeconds: number): number =>
  (executions / 1_000_000) * flexRates.perMillionExecutions + gbSeconds * flexRates.perGbSecond;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
