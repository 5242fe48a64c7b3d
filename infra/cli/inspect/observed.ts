import type { ClusterRegistration, NodeRegistration } from '../../../shared/wire/settings.ts';
import { defined } from '../../../shared/core/defined.ts';

/** A part of the world as it was read, or why it could not be read: one sentence, without a secret. */
export type Part<T> = { readonly kind: 'read'; readonly value: T } | Unreadable;

export interface Unreadable {
  readonly kind: 'unreadable';
  readonly reason: string;
  /** How to fix just that, where the reason says; else whoever asked knows what it takes. */
  readonly fix?: string;
}

export const read = <T>(value: T): Part<T> => ({ kind: 'read', value });
export const unreadable = (reason: string, fix?: string): Unreadable => ({
  kind: 'unreadable',
  reason,
  ...defined({ fix }),
});

/** The value of a part, or undefined when it could not be read. */
export const valueOf = <T>(part: Part<T>): T | undefined => (part.kind === 'read' ? part.value : undefined);

/**
 * What `status` saw of one installation. Ages and waits are in seconds, each by the clock of whoever keeps the time: the
 * API server for the Lease, Node and pods, the Table service for the rows. This machine's own clock is in none of them.
 */
export interface StatusObserved {
  readonly installation: string;
  readonly region: string;
  /** Whether the registrations could be read; what is in the settings is known all the same. */
  readonly registrations: Part<undefined>;
  readonly clusters: readonly ClusterObserved[];
  /** Quota of the region. */
  readonly quota: Part<readonly QuotaObserved[]>;
  readonly budgets: Part<readonly BudgetObserved[]>;
  /** Groups of this installation whose cluster or node is registered nowhere. */
  readonly unmanagedGroups: Part<readonly UnmanagedGroups[]>;
}

export interface ClusterObserved {
  readonly name: string;
  /** As registered. */
  readonly uid: string;
  readonly server: string;
  /** What answers there now; its UID may be another one. */
  readonly live: Part<{ readonly uid: string }>;
  /** How pods reach it, as registered. */
  readonly reach: Pick<ClusterRegistration, 'dns' | 'services'>;
  readonly nodes: readonly NodeObserved[];
}

export interface NodeObserved {
  readonly name: string;
  /** Of the registration. */
  readonly state: NodeRegistration['state'];
  readonly zone?: string;
  /** Undefined: there is no such Node. */
  readonly node: Part<NodeSeen | undefined>;
  /** Undefined: there is no Lease. */
  readonly lease: Part<{ readonly ageSeconds: number } | undefined>;
  /** Number of pods by phase. */
  readonly pods: Part<Readonly<Record<string, number>>>;
  /** Container groups that bear the tags of this node. */
  readonly groups: Part<number>;
  /** Undefined: the app has not been here yet. */
  readonly row: Part<NodeRowSeen | undefined>;
  /** Pods with a fault, or that have waited long. */
  readonly troubles: Part<readonly PodTrouble[]>;
}

export interface NodeSeen {
  readonly ready: 'True' | 'False' | 'Unknown' | 'absent';
  /** Of the Ready condition. */
  readonly reason: string;
  readonly unschedulable: boolean;
  /** Installation that the owner annotation names. */
  readonly owner?: string;
  readonly version: string;
  readonly allocatable: { readonly cpu: string; readonly memory: string; readonly pods: string };
  /** Since the app last wrote the Node's status, which it does at least every five minutes. */
  readonly statusAgeSeconds?: number;
}

export interface NodeRowSeen {
  readonly resyncAgeSeconds?: number;
  readonly relayHeardAgeSeconds?: number;
  /** Groups without a pod that are held back, and since when the oldest. */
  readonly orphans: number;
  readonly oldestOrphanAgeSeconds?: number;
  /** Of a removed node: since when it has been empty. */
  readonly emptyForSeconds?: number;
}

export interface PodTrouble {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of the last fault; undefined when it only waits. */
  readonly fault?: { readonly reason: string; readonly message: string };
  /** Failures in a row. */
  readonly attempt: number;
  /** Until the next try; negative when that time is past. */
  readonly dueInSeconds?: number;
  /** Since the pod was created, while it is Pending. */
  readonly pendingForSeconds?: number;
}

export interface QuotaObserved {
  /** ARM's name: `ContainerGroups`, `StandardCores`. */
  readonly name: string;
  readonly used: number;
  readonly limit: number;
}

export interface BudgetObserved {
  /** `reads`, `creates in 5 minutes` … */
  readonly name: string;
  readonly left: number;
  readonly of: number;
  /** Until it is full again; 0 when it is. */
  readonly fullInSeconds: number;
  /** After a 429: nothing is granted before. */
  readonly closedForSeconds?: number;
  /** The row is new and nobody knows what was spent before: one request in 15 seconds, until ARM says what is left. */
  readonly trickles?: boolean;
  /** Nobody knows what was spent before; a beginning is open. */
  readonly isPresumed?: boolean;
}

/** Groups of a cluster, or of a node of a registered cluster, that nobody looks after. */
export interface UnmanagedGroups {
  readonly kind: 'unknown-cluster' | 'unknown-node';
  readonly cluster: string;
  readonly node: string;
  readonly count: number;
  /** Since the oldest of them was created, as far as the tables remember. */
  readonly oldestAgeSeconds?: number;
}

/** One line of what is not as it should be. `info` needs nobody; `error` keeps pods from running or costs money. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'info';
  /** `cluster prod`, `node prod/aci-1`, `pod default/web`, `budget reads` … */
  readonly subject: string;
  readonly sentence: string;
  /** What it means and what to do: one sentence. */
  readonly hint: string;
}
