export interface UsageOwner {
  readonly kind: string;
  readonly name: string;
}

/** What a pod's row keeps for the ledger. */
export interface PodUsage {
  readonly cpu: number;
  readonly memoryInGB: number;
  readonly owner?: UsageOwner;
  /** Of the group there is now. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Of the groups before it, each from its start to its end. */
  readonly earlier: readonly Span[];
}

export type Span = readonly [startedAt: number, endedAt: number];
