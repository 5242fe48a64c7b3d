export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** `base × 2^attempt`, capped, then spread over [½, 1] of it by `random` in [0, 1), so that many pods do not come back at once. */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: number): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
