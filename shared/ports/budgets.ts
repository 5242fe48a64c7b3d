import type { Fault, Result } from '../core/fault.ts';

/**
 * What is spent at ARM (aci.md §6). Looks and logs share the reads, creates and ends (stop) the writes. A `read-watch` is a
 * look at a pod that only waits or serves: it leaves a fifth of the reads to those who create and end groups. A
 * `write-retry` is a create of a group that was refused before: it leaves a third of ACI's windows to first tries.
 */
export type Spend = 'read-look' | 'read-watch' | 'read-logs' | 'write-create' | 'write-retry' | 'write-end' | 'delete';

/**
 * Shared by all instances. A permit is one request; permits are taken from the shared row in chunks and kept in
 * memory, so a killed process loses some (the safe direction).
 */
export interface Budgets {
  /** One permit, or `throttled` with the time until one could be had. Never waits. */
  take(spend: Spend): Promise<Result<void>>;
  /**
   * `throttled`, as `take` would answer, where this process knows that it would; undefined: it may grant. Costs no request:
   * for who has something to do before, which is in vain without a permit.
   */
  knownRefusal(spend: Spend): Fault | undefined;
  /**
   * A 429, or remaining-count headers: what the server says is the truth for all instances. An accepted call without
   * them is evidence that opens a budget of which nobody knows what others have spent. Never fails. Cost: no request for
   * what is no news.
   */
  report(spend: Spend, observation: BudgetObservation): Promise<void>;
}

export interface BudgetObservation {
  /** Of a 429. */
  readonly retryAfterMs?: number;
  /** The server did as asked (2xx). */
  readonly accepted?: true;
  /** `x-ms-ratelimit-remaining-subscription-reads|-writes|-deletes`: ARM's own bucket. */
  readonly remaining?: number;
  /** The lower of `…-resource-requests-pt5m` and `-pt1h`: ACI's windows for creates and deletes. */
  readonly windowRemaining?: number;
}
