import type { ReadinessReport } from '../status/readiness.ts';
import type { AgentKeyName } from '../agent/access.ts';
import type { AgentSilence } from '../agent/reports/silence.ts';
import type { MadeLiveVolumes } from '../agent/files/live-files.ts';
import type { CapacityEvent, CapacityState } from '../budget/capacity.ts';
import type { Fault } from '../fault.ts';
import type { GroupBody, GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { PodWrite } from '../kubernetes/status-patch.ts';
import type { PodEvent } from '../pod-events/pod-event.ts';
import type { NodeFacts, ResolvedReferences } from '../pod/translation.ts';
import type { LogTails, RelaySilence } from '../status/status.ts';
import type { PodRow } from './pod-row.ts';

/** What is known of the group at the moment of a decision. */
export type GroupSight =
  /** Not read: the decision does not need it. */
  | { readonly kind: 'unread' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'seen'; readonly group: GroupObservation }
  /** A group of this name exists, but its tags are another owner's. */
  | { readonly kind: 'foreign' }
  /** It was PUT since it was read: what was seen before no longer holds. */
  | { readonly kind: 'put' };

/** Everything a decision about one pod may look at. Immutable; gathered once a round. */
export interface Observed {
  /** Table service's time, ms, when the sight was asked for: a wait is over only if it was over then. */
  readonly now: number;
  /** The same clock at this decision: the time of what the decision writes down as done or answered. */
  readonly at: number;
  /** Undefined: a consistent list shows that no pod of this UID is bound to the node. */
  readonly pod: Pod | undefined;
  readonly row: PodRow;
  readonly sight: GroupSight;
  /** Why provisioning failed, when the operation was asked. */
  readonly operation?: readonly { readonly name: string; readonly message: string }[];
  /** What the pod refers to; undefined: not read yet. */
  readonly references: ResolvedReferences | undefined;
  /** What is known against groups of the pod's size; undefined: nothing, or it was not asked. */
  readonly capacity: CapacityState | undefined;
  /** The ends of logs that were asked for in this term; undefined: none were. */
  readonly logTails?: LogTails | undefined;
  /** UID of the cluster that answers now; undefined: not asked yet. */
  readonly clusterUid: string | undefined;
  /** What became of the last effect or read, where it came to something that the decision before could not count on. */
  readonly outcome: Outcome | undefined;
  /** resourceVersion conflicts of status patches so far in this term. */
  readonly statusConflicts: number;
  /** What came of the last PUT of this term; undefined: none was sent. */
  readonly lastPut: Outcome | undefined;
  /**
   * Only the pod's own conditions are at odds with its containers, or these with what the relay or agents reported: no poll
   * is needed. `plannedAt`: when the next one was planned.
   */
  readonly correcting:
    | {
        readonly plannedAt: number | undefined;
        readonly reports?: readonly ReadinessReport[];
        /** An agent has spoken, and its words are in the row. */
        readonly isHeard?: boolean;
      }
    | undefined;
  readonly facts: NodeFacts;
  readonly policy: ReconcilePolicy;
}

export interface ReconcilePolicy {
  /** Since when this node's rows exist (rule of the birth marker). */
  readonly bornAt: number;
  readonly nodeState: 'active' | 'draining' | 'removed';
  /** Pods of the node that are expected to end; spreads their polls. */
  readonly endingPods: number;
  /** Before this time after its PUT hardly any group of the node starts, ms; undefined: nobody knows. */
  readonly earliestStartMs: number | undefined;
  /** Pending for lack of capacity longer than this fails the pod; 0: never. */
  readonly capacityFailAfterMs: number;
  /** What a container counts as whose agent was asked why nobody hears it, and still is not heard; absent: `unready`. */
  readonly agentSilence?: AgentSilence;
  /** Of the node's relay; absent: it calls. */
  readonly relaySilence?: RelaySilence;
  /** In [0, 1): spreads back-off and polls. */
  readonly random: number;
}

/** One thing to do, in order. Each survives being done twice, or not at all. */
export type Effect =
  /** `reason` names the status for the log. */
  | { readonly kind: 'patch-status'; readonly status: PodWrite }
  /** Informs people of it, unless they were informed lately. */
  | ({ readonly kind: 'create-event' } & PodEvent)
  /** Reads the pod once more, a moment later: somebody else has written it. */
  | { readonly kind: 'read-pod' }
  /** Reads what the pod refers to, as its node. */
  | { readonly kind: 'read-references' }
  /** Asks the cluster who it is, as the app: only the one that was attached may have groups deleted. */
  | { readonly kind: 'read-cluster-uid' }
  /** Writes the row now, because what follows may only happen after it. */
  | { readonly kind: 'save-row'; readonly row: Partial<PodRow> }
  /** Goes out with the next write of the row, whatever becomes of the effects behind it. */
  | { readonly kind: 'note-row'; readonly row: Partial<PodRow> }
  /** Informs all instances what ARM said of its capacity; an `ask` comes to `not-asked` when another pod asks already. */
  /** To whoever has the row now: a PUT of this term was accepted, or may have been, and the row can't say so any more. */
  | { readonly kind: 'report-late-put'; readonly isAccepted: boolean }
  | { readonly kind: 'note-capacity'; readonly event: CapacityEvent }
  /**
   * Writes the intent as of the moment of writing, in one transaction with the birth marker, and nothing may come between it
   * and the PUT. `replaces`, `agentKey`: as in the intent; `reporting`: whose agents will report.
   */
  | {
      readonly kind: 'open-intent';
      readonly replaces: boolean;
      readonly agentKey?: AgentKeyName;
      readonly reporting?: readonly string[];
      readonly liveVolumes?: MadeLiveVolumes;
    }
  /** `isRetry`: a group of this pod was refused before; first tries go before it. */
  | { readonly kind: 'put-group'; readonly body: GroupBody; readonly isRetry: boolean }
  /** Reads the logs of these containers and keeps them; one without a log is left out. */
  | { readonly kind: 'keep-log'; readonly containers: readonly string[] }
  /** Reads the end of these containers' logs, as far as that goes quickly: what can't be read is left out. */
  | { readonly kind: 'read-log-tails'; readonly containers: readonly string[] }
  /** Marks groups of ended pods to go, of whichever node: their quota is needed. */
  | { readonly kind: 'free-groups' }
  /**
   * Has the agents of these containers end their programs by `by`, the Table service's time, and writes into the row what came
   * of it. Fails where one of them was not reached, or may not have been.
   */
  | { readonly kind: 'drain-agents'; readonly containers: readonly string[]; readonly by: number }
  /** Asks the agents of these containers why nobody hears them, and writes the answers into the row. */
  | { readonly kind: 'ask-agents'; readonly containers: readonly string[] }
  | { readonly kind: 'stop-group' }
  | { readonly kind: 'delete-group' }
  | { readonly kind: 'delete-pod' }
  | { readonly kind: 'forget' };

/** A call that can fail: an effect, or a read before a decision. */
export type Call = Effect['kind'] | 'get-group' | 'get-pod' | 'confirm-cluster';

/** What became of an effect, or of a read, when it was not simply done. */
export type Outcome =
  /** Too little of the lock's term or of the invocation is left for another call; this one was not made. */
  | { readonly kind: 'out-of-time' }
  /** The row is gone, or may be another instance's by now: nothing may be written any more. */
  | { readonly kind: 'row-lost' }
  | { readonly kind: 'failed'; readonly call: Call; readonly fault: Fault }
  /** Another pod asks for capacity already. */
  | { readonly kind: 'not-asked' }
  /** ARM has taken the PUT. */
  | { readonly kind: 'put-accepted'; readonly operationUrl?: string };

export type Next =
  /** Gather and decide again at once: an effect has changed the world. */
  | { readonly kind: 'again' }
  | { readonly kind: 'in'; readonly ms: number }
  /** Back-off by the number of failures in a row. */
  | { readonly kind: 'backoff' }
  /** Nothing until an event or a resync. */
  | { readonly kind: 'idle' }
  /** The row is not ours any more: nothing is written, not even when to come back. */
  | { readonly kind: 'leave' };

/** What is to be done, without its name. */
export interface Plan {
  readonly effects: readonly Effect[];
  /** Holds only when all effects took place. */
  readonly row: Partial<PodRow>;
  readonly next: Next;
  /** What this round failed on, for the log and the caller. */
  readonly fault?: Fault;
}

export interface Decision extends Plan {
  /** A constant for the log: which rule decided. */
  readonly reason: string;
  /** The same as a sentence. */
  readonly message: string;
}
