import type { AgentAccessOf } from './agent-access.ts';
import type { Result } from '../core/fault.ts';
import type { NodeKey } from '../core/node/node-key.ts';
import type { StartTimes } from '../core/reconcile/start-times.ts';
import type { NodeFacts } from '../core/pod/translation.ts';
import type { AgentWords } from '../ports/agent-words.ts';
import type { Reservation } from '../ports/budgets.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContainerGroups } from '../ports/container-groups.ts';
import type { ImageRegistry } from '../ports/image-registry.ts';
import type { KeptLogs } from '../ports/kept-logs.ts';
import type { Log } from '../ports/log.ts';
import type { ClusterApi, NodeApi } from '../ports/node-api.ts';
import type { SessionDial } from '../ports/session-dial.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ClusterRegistration, NodeRegistration, Settings } from '../wire/settings.ts';

/** Everything the use cases need, built once per process by the composition root; tests bring their own record. */
export interface Deps {
  readonly settings: Settings;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly store: StateStore;
  readonly groups: ContainerGroups;
  readonly keptLogs: KeptLogs;
  readonly imageRegistry: ImageRegistry;
  readonly agentAccess: AgentAccessOf;
  readonly agentWords: AgentWords;
  readonly dialSession: SessionDial;
  /** By the UID of the cluster. */
  readonly clusters: ReadonlyMap<string, ClusterDeps>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Unique per process: the owner of its locks. */
  readonly instance: string;
  /** What this process last read of a node, by `nodeKeyText`: it spreads polls, and says whether the relay calls. */
  readonly nodeHints: Map<string, NodeHints>;
  /** How long groups took to start, by `nodeKeyText`, as this process saw it; it only spares polls. */
  readonly startTimes: Map<string, StartTimes>;
  /** Nodes, by `nodeKeyText`, whose API server drops what a Node declares, as this process saw it; it only spares writes. */
  readonly withoutFeatures: Set<string>;
  /** A permit for a PUT, before what would be done in vain without one; `throttled` as the PUT would be. */
  readonly reserveCreate: () => Promise<Result<Reservation>>;
  /**
   * A node as it is registered now, whatever this invocation's snapshot says; a fault when it is not, or nobody knows.
   * At most one conditional GET: for what must not be done by a process that has not heard that a node left.
   */
  readonly confirmNode: (node: NodeKey) => Promise<Result<NodeRegistration>>;
  /** The same of a cluster, by its UID: before a pod fails for ever for what may have been granted just now. */
  readonly confirmCluster: (uid: string) => Promise<Result<ClusterRegistration>>;
}

export interface NodeHints {
  /** How many pods are expected to end. */
  readonly endingPods: number;
  /** As any process saw it. */
  readonly earliestStartMs: number | undefined;
  /** When the relay last called, as any process heard it. */
  readonly relayHeardAt: number | undefined;
  /** Monotonic ms. */
  readonly readAtMs: number;
  /** When this process last took note of a call of the relay, monotonic ms; not that of its reads for other ends. */
  readonly recordedAtMs?: number;
}

export interface ClusterDeps {
  readonly registration: ClusterRegistration;
  readonly api: ClusterApi;
  /** By node name. */
  readonly nodes: ReadonlyMap<string, NodeDeps>;
}

export interface NodeDeps {
  readonly key: NodeKey;
  readonly registration: NodeRegistration;
  readonly facts: NodeFacts;
  readonly api: NodeApi;
  readonly cluster: { readonly registration: ClusterRegistration; readonly api: ClusterApi };
}

/** `signal`, or `ms` from now, whichever is first. */
export const within = (deps: Pick<Deps, 'clock'>, signal: AbortSignal, ms: number): AbortSignal =>
  AbortSignal.any([signal, deps.clock.timeout(ms)]);

/** Which pod; the UID is the identity, the rest is the way to it. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}
