import type { AgentKeyName } from '../agent/access.ts';
import type { AgentMemory } from '../agent/reports/memory.ts';
import type { FileMemory } from '../agent/files/file-memory.ts';
import type { PodUsage } from '../usage/pod-usage.ts';

/** What the tables remember of one pod. Everything in it can be rebuilt from the API server and from the groups' tags. */
export interface PodRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The group's name; pinned by the intent. */
  readonly group: string;
  readonly intent: Intent;
  /** When to work on the pod next, in the Table service's time; undefined: only when an event or a resync says so. */
  readonly dueAt: number | undefined;
  /** Failures in a row, of work on the pod or of its groups; the exponent of the back-off. */
  readonly attempt: number;
  /** Who works on it now. A lock whose term is over is nobody's. */
  readonly lock: { readonly owner: string; readonly until: number } | undefined;
  /** Something happened while another instance held the lock: look again at once when it is released. */
  readonly dirty: boolean;
  /**
   * Versions of the pod that made the row dirty, where they are all that did: who holds the lock may have written them itself.
   * Empty: anything may have happened.
   */
  readonly dirtyVersions: readonly string[];
  /** resourceVersion of the pod that was last acted on; undefined: none. An event that reports this very one says nothing. */
  readonly version: string | undefined;
  /** The API object that was last acted on (rule 16 of docs/architecture.md); undefined: none. */
  readonly seen: string | undefined;
  /** The last stop or DELETE of the group that ARM took, until its end was seen: it is not sent again at each poll. */
  readonly ending: { readonly by: 'stop' | 'delete'; readonly at: number } | undefined;
  /** What was last seen of the pod itself. Undefined: it never was, or by a version that did not say: no explanation why it is gone. */
  readonly lastSeen: LastSeen | undefined;
  /** The pod is gone, its group is not, and nothing that was seen of the pod says why. */
  readonly orphan: Orphan | undefined;
  /** Since when an accepted group answers 404; two reads apart make it lost. */
  readonly absentSince: number | undefined;
  /** The end is in the pod's status and nothing runs any more: no poll until the pod is deleted. */
  readonly settled: boolean;
  /** Marks of events already written, so that none is repeated each round (`pod-events/marks.ts`). */
  readonly reported: readonly string[];
  /** What the pod waits for, until a group of it has come up; while it lasts, failures go on being counted. */
  readonly fault: { readonly reason: string; readonly message: string } | undefined;
  /** What became of the log of a group that goes before its pod; undefined: nothing was to be kept. */
  readonly keptLog: KeptLog | undefined;
  /** The pod has ended, and its group's quota is needed: the group goes, once its log is kept. */
  readonly freeing: boolean;
  /** For the ledger; undefined: no group yet, or a row of a version that kept nothing. */
  readonly usage: PodUsage | undefined;
  /** What its agents said; undefined: its group has none, or there is no group, or the row is older. */
  readonly agent: AgentMemory | undefined;
  /** Of the volumes whose files its agents change; undefined: there are none, or the row does not say. */
  readonly files: FileMemory | undefined;
}

/** `deleting`: with a deletionTimestamp; `terminal`: phase Succeeded or Failed. Both say why a pod is gone later. */
export type LastSeen = 'alive' | 'deleting' | 'terminal';

/** An orphan that nothing explains, and what a resync made of it. */
export interface Orphan {
  /**
   * `uncounted`: found by a poll of this pod alone, which can't know whether it is one of many. `held`: one of too many.
   * `released`: few enough, or held long enough; it goes when its pod is shown absent once more.
   */
  readonly state: 'uncounted' | 'held' | 'released';
  /** First sight, Table service's time. */
  readonly since: number;
}
export type KeptLog =
  /** The row is younger than the pod's end: what was before is not known. */
  | { readonly kind: 'unknown' }
  /** Nothing of it may be there yet. Written before; `fault`: why it failed last. */
  | { readonly kind: 'trying'; readonly since: number; readonly fault?: string }
  | { readonly kind: 'kept' }
  /** The group was ended all the same, or stays where it may. */
  | { readonly kind: 'given-up' };

/** Rule 2 of docs/architecture.md. */
export type Intent =
  | { readonly kind: 'none' }
  /** Written before the PUT, which may or may not have happened. */
  | {
      readonly kind: 'open';
      readonly at: number;
      /** The pod's status showed a start already, of an earlier group: it says nothing of this PUT. */
      readonly replaces?: true;
      /** Which key the agents of its group have. */
      readonly agentKey?: AgentKeyName;
    }
  /** The PUT was answered 2xx, or the group was seen. */
  | {
      readonly kind: 'accepted';
      readonly at: number;
      readonly operationUrl?: string;
      /** We are deleting the group to make a new one, so its absence is no loss. Written before the DELETE. */
      readonly replacing?: true;
    }
  /** A definite 4xx: nothing was created. */
  | { readonly kind: 'refused'; readonly at: number }
  /** Our DELETE was confirmed by a 404. */
  | { readonly kind: 'deleted'; readonly at: number };

export function newPodRow(pod: Pick<PodRow, 'namespace' | 'name' | 'uid' | 'group'>): PodRow {
  return {
    ...pod,
    intent: { kind: 'none' },
    dueAt: undefined,
    attempt: 0,
    lock: undefined,
    dirty: false,
    dirtyVersions: [],
    version: undefined,
    seen: undefined,
    ending: undefined,
    lastSeen: undefined,
    orphan: undefined,
    absentSince: undefined,
    settled: false,
    reported: [],
    fault: undefined,
    keptLog: undefined,
    freeing: false,
    usage: undefined,
    agent: undefined,
    files: undefined,
  };
}
