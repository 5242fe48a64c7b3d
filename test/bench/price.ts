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

/** Memory of the instances that the app is deployed on. */
export const instanceGb = 0.5;

/** The month that prices are reported for: a twelfth of a year, 30.4 days. */
export const monthSeconds = 30.4 * 86_400;

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

/** A whole month of the executions that were seen in `seconds`, by the time that each took, on instances of `instanceGb`. */
export function monthOf(durationsMs: readonly number[], seconds: number, instanceGb: number): Month {
  const factor = monthSeconds / seconds;
  const executions = durationsMs.length * factor;
  const billedSeconds = durationsMs.reduce((total, ms) => total + billedMs(ms) / 1000, 0) * factor;
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
