import type { GroupObservation } from '../group/group.ts';
import type { Pod, PodStatus } from '../kubernetes/pod.ts';
import type { PodRow } from './pod-row.ts';

/** What is known of the group at the moment of a decision. */
export type GroupSight =
  /** Not read: the decision does not need it. */
  | { readonly kind: 'unread' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'seen'; readonly group: GroupObservation }
  /** A group of this name exists, but its tags are another owner's. */
  | { readonly kind: 'foreign' };

/** Everything a decision about one pod may look at. Immutable; gathered once a round. */
export interface Observed {
  /** Table service's time, ms. */
  readonly now: number;
  /** Undefined: a consistent list shows that no pod of this UID is bound to the node. */
  readonly pod: Pod | undefined;
  readonly row: PodRow;
  readonly sight: GroupSight;
  /** Why provisioning failed, when the operation was asked. */
  readonly operation?: readonly { readonly name: string; readonly message: string }[];
  readonly policy: ReconcilePolicy;
}

export interface ReconcilePolicy {
  readonly hostIP: string;
  /** Since when this node's rows exist (rule of the birth marker). */
  readonly bornAt: number;
  readonly nodeState: 'active' | 'draining' | 'removed';
  /** Pods of the node that are expected to end; spreads their looks. */
  readonly endingPods: number;
  /** Pending for lack of capacity longer than this fails the pod; 0: never. */
  readonly capacityFailAfterMs: number;
  /** In [0, 1): spreads back-off and looks. */
  readonly random: number;
}

/** One thing to do, in order. Each survives being done twice, or not at all. */
export type Effect =
  /** `reason` names the status for the log. */
  | { readonly kind: 'patch-status'; readonly status: PodStatus; readonly reason: string }
  | {
      readonly kind: 'create-event';
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    }
  | { readonly kind: 'create-group' }
  | { readonly kind: 'stop-group' }
  | { readonly kind: 'delete-group' }
  /** Proves that the cluster is the one that was attached, before an orphan goes (DESIGN rule 4). */
  | { readonly kind: 'verify-cluster' }
  | { readonly kind: 'delete-pod' }
  | { readonly kind: 'forget' };

export type Next =
  /** Gather and decide again at once: an effect has changed the world. */
  | { readonly kind: 'again' }
  | { readonly kind: 'in'; readonly ms: number }
  /** Back-off by the number of failures in a row. */
  | { readonly kind: 'backoff' }
  /** Nothing until an event or a resync. */
  | { readonly kind: 'idle' };

export interface Decision {
  /** A constant for the log: which rule decided. */
  readonly reason: string;
  readonly effects: readonly Effect[];
  readonly row: Partial<PodRow>;
  readonly next: Next;
}
