import type { CapacityState } from '../core/budget/capacity.ts';
import type { BucketState } from '../core/budget/token-bucket.ts';
import type { Result } from '../core/fault.ts';
import type { ImageConfig } from '../core/image/image-config.ts';
import type { ImageTag } from '../core/image/image-tag.ts';
import type { NodeKey } from '../core/node/node-key.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import type { UsageRecord } from '../core/usage/usage.ts';

/** A row as read, with what is needed to write it again only if nobody else did. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

/** When this node's partition came to be. Its key is part of every intent's transaction, so an intent fails when the tables were lost. */
export interface Birth {
  readonly bornAt: number;
  readonly key: string;
}

export interface DuePod {
  readonly uid: string;
  /** Undefined: it could not be read. */
  readonly row: Versioned<PodRow> | undefined;
}

/**
 * The rows. Every pod row and its due key live in one partition per node and change in one transaction. `conflict`
 * means somebody else wrote first: read again and decide again. Nothing here is a truth: see docs/architecture.md, The rows.
 */
export interface StateStore {
  /** The Table service's time in ms, from the `Date` header of its last answer plus monotonic time since. */
  now(): Promise<Result<number>>;
  /**
   * The partition's birth marker; writes one (now) when it is missing, unless the node is no longer registered: then a
   * fault. New rows are written only together with it, so that nothing comes back once a node's rows were removed. One that
   * `mayBeRemembered` costs no request after the first; it may be of tables that were lost, which the transaction that
   * needs it reports (`conflict`), and then it is forgotten.
   */
  getBirth(node: NodeKey, options?: { readonly mayBeRemembered: boolean }): Promise<Result<Birth>>;
  getPod(node: NodeKey, uid: string): Promise<Result<Versioned<PodRow> | undefined>>;
  /**
   * Creates (`previous` undefined) or replaces (`previous` as read) a pod row and moves its due key, in one
   * transaction. With `birth`, the transaction also requires that marker to be there still: `conflict` when the
   * tables were emptied meanwhile.
   */
  upsertPod(
    node: NodeKey,
    row: PodRow,
    guard: { readonly previous: Versioned<PodRow> | undefined; readonly birth?: Birth },
  ): Promise<Result<Versioned<PodRow>>>;
  /**
   * Removes row and due key. Succeeds when absent; `conflict` when somebody wrote meanwhile. `usage` goes to the ledger
   * in one transaction with the row's own, which is gone from it then: each record is there once, whatever is
   * repeated or cut off. Without records, and with: two requests.
   */
  deletePod(node: NodeKey, previous: Versioned<PodRow>, usage?: readonly UsageRecord[]): Promise<Result<void>>;
  /**
   * The ledger's records of this node that overlap `from` to `to` (ms), complete, in the order of their ends. Pods that
   * have a row still are not in it: `usageOfRow` reports them. Cost: one request for each thousand that ended since `from`.
   */
  listUsage(
    node: NodeKey,
    window: { readonly from: number; readonly to: number },
  ): Promise<Result<readonly UsageRecord[]>>;
  /** Removes up to a hundred records of the ledger that ended before `before`, the oldest; answers how many. */
  pruneUsage(node: NodeKey, before: number): Promise<Result<number>>;
  /**
   * What is due at or before `until`, oldest first, by a key range, with its row as it was read on the way. A due key
   * whose row has moved on is removed. Cost: one request, and one for each fourteen.
   */
  listDue(node: NodeKey, until: number, limit: number): Promise<Result<readonly DuePod[]>>;
  /** How many due keys are at or before `until`; cost: one request for each thousand. */
  countDue(node: NodeKey, until: number): Promise<Result<number>>;
  /** The earliest due key after now, or undefined. */
  getNextDue(node: NodeKey): Promise<Result<number | undefined>>;
  listPods(node: NodeKey): Promise<Result<readonly Versioned<PodRow>[]>>;
  /**
   * Every node that has a row of any kind, the ledger's too, whether it is still registered or not. Cost: one request
   * for each.
   */
  listNodes(): Promise<Result<readonly NodeKey[]>>;
  getNode(node: NodeKey): Promise<Result<Versioned<NodeRow> | undefined>>;
  /** With `birth` as `upsertPod`. */
  upsertNode(
    node: NodeKey,
    row: NodeRow,
    previous: Versioned<NodeRow> | undefined,
    birth?: Birth,
  ): Promise<Result<Versioned<NodeRow>>>;
  getBucket(name: string): Promise<Result<Versioned<BucketState> | undefined>>;
  upsertBucket(
    name: string,
    state: BucketState,
    previous: Versioned<BucketState> | undefined,
  ): Promise<Result<Versioned<BucketState>>>;
  /** What is known against a size of groups (`capacityClass`), shared by all nodes; undefined: nothing. One request. */
  getCapacity(size: string): Promise<Result<Versioned<CapacityState> | undefined>>;
  /**
   * Writes it where the row is as `previous` says; `state` undefined: the row goes. `conflict` when somebody else wrote
   * meanwhile. One request.
   */
  upsertCapacity(
    size: string,
    state: CapacityState | undefined,
    previous: Versioned<CapacityState> | undefined,
  ): Promise<Result<Versioned<CapacityState> | undefined>>;
  /** What a registry said of a digest, which never changes; undefined: nobody asked. One request, as the next three. */
  getImageConfig(digest: string): Promise<Result<ImageConfig | undefined>>;
  upsertImageConfig(config: ImageConfig & { readonly digest: string }): Promise<Result<void>>;
  /**
   * What a tag named when a registry was last asked, by the image's whole name (`index.docker.io/library/nginx:1`), with
   * whose it is before it where not everybody may know.
   */
  getImageTag(image: string): Promise<Result<ImageTag | undefined>>;
  upsertImageTag(image: string, tag: ImageTag): Promise<Result<void>>;
}
