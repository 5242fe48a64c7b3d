import type { Result } from '../core/fault.ts';

/**
 * What is spent at ARM (docs/aci.md, Budgets). Polls and logs share the reads; creates, ends (stop) and streams the writes. A `read-watch` is a
 * look at a pod that only waits or serves: it leaves a fifth of the reads to those who create and end groups. So does a
 * `read-metrics`, of which there is a fifth of the reads at most. A
 * `write-retry` is a create of a group that was refused before: it leaves a third of ACI's windows to first tries. A
 * `write-stream` opens an exec or attach: it leaves the creates as much as these leave the ends. A `write-word` opens the exec by
 * which the app has an agent drain its container or fetch its files: it waits for nobody's exec, and leaves the ends theirs.
 */
export type Spend =
  | 'read-poll'
  | 'read-watch'
  | 'read-metrics'
  | 'read-logs'
  | 'write-create'
  | 'write-retry'
  | 'write-stream'
  | 'write-word'
  | 'write-end'
  | 'delete';

/**
 * Shared by all instances. A permit is one request; permits are taken from the shared row in chunks and kept in
 * memory, so a killed process loses some (the safe direction).
 */
export interface Budgets {
  /** One permit, or `throttled` with the time until one could be had. Never waits. */
  take(spend: Spend): Promise<Result<void>>;
  /**
   * Keeps a permit for who has something to do before, which would be in vain without it; `throttled` as `take` would answer.
   * Only of what fills up within seconds: of ACI's windows, where a permit that is lost is lost for an hour, it is only said
   * when this process knows that they are used up. The permit expires as any other; `take` follows `release`.
   */
  reserve(spend: Spend): Promise<Result<Reservation>>;
  /**
   * A 429, or remaining-count headers: what the server says is the truth for all instances. An accepted call without
   * them is evidence that opens a budget of which nobody knows what others have spent. Never fails. Cost: no request for
   * what is no news.
   */
  report(spend: Spend, observation: BudgetObservation): Promise<void>;
}

/** A permit that is kept. */
export interface Reservation {
  /** Gives the permit back to this process, once: its next `take` finds it, unless it has expired. */
  release(): void;
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
