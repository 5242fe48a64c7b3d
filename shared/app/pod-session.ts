import type { CapacityState } from '../core/budget/capacity.ts';
import { capacityClass } from '../core/budget/capacity.ts';
import { joined } from '../core/agent/reports/memory.ts';
import { joinedFiles } from '../core/agent/files/file-memory.ts';
import type { PodGrant } from '../core/pod/grant.ts';
import type { NodeFacts } from '../core/pod/translation.ts';
import { groupKind, placed } from '../core/pod/annotations/placed.ts';
import { wishesOf } from '../core/pod/annotations/read-wishes.ts';
import { ok } from '../core/fault.ts';
import { effectiveRequest, toGroupResources } from '../core/pod/resources.ts';
import type { Result } from '../core/fault.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import type { ResolvedReferences } from '../core/pod/translation.ts';
import type { GroupSight, Observed } from '../core/reconcile/observed.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { isNews } from '../core/reconcile/work-needed.ts';
import type { UsageRecord } from '../core/usage/usage.ts';
import type { Reservation } from '../ports/budgets.ts';
import type { Birth, Versioned } from '../ports/state-store.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';

/** No call is made with less than this left of the lock: its answer could come when the pod is another instance's. */
const leastTermMs = 2_000;
const longestCallMs = 15_000;

/**
 * One instance's term of work on one pod: the row it holds the lock of, what it knows, and the signals that end every
 * call before the lock could expire (rule 2 of docs/architecture.md).
 */
export class PodSession {
  readonly deps: Deps;
  readonly node: NodeDeps;
  sight: GroupSight = { kind: 'unread' };
  /** As they are now, read because those of the node do not name what the pod asks for. */
  grants: readonly PodGrant[] | undefined = undefined;
  /** When the sight was asked for, by `now()`. */
  sightAt = 0;
  /** What the pod refers to, once it was read. */
  references: ResolvedReferences | undefined = undefined;
  /** What is known against groups of its size, once it was asked. */
  capacity: CapacityState | undefined = undefined;
  /** The ends of logs, once they were asked for. */
  logTails: Observed['logTails'] = undefined;
  /** UID of the cluster that answered, once it was asked. */
  clusterUid: string | undefined = undefined;
  /** Status patches that failed so far, nearly all by a resourceVersion conflict. */
  statusConflicts = 0;
  /** What came of the last PUT. */
  lastPut: Observed['lastPut'] = undefined;
  /** A permit for its first PUT. */
  reservation: Reservation | undefined = undefined;
  /** Set: only the pod's own conditions are to be fixed. */
  correcting: Observed['correcting'] = undefined;
  #pod: Pod | undefined;
  /** Versions of the pod that this term has read or written. */
  readonly #versions = new Set<string>();
  #held: Versioned<PodRow>;
  /** Changes decided but not written yet; they go out with the next save. */
  #staged: Partial<PodRow> = {};
  readonly #birth: Birth;
  readonly #signal: AbortSignal;
  readonly #clockOffset: number;

  constructor(start: {
    deps: Deps;
    node: NodeDeps;
    held: Versioned<PodRow>;
    pod: Pod | undefined;
    birth: Birth;
    /** The Table service's time, and what the monotonic clock showed when it was asked for. */
    now: number;
    readAtMs: number;
    signal: AbortSignal;
  }) {
    this.deps = start.deps;
    this.node = start.node;
    this.pod = start.pod;
    this.#held = start.held;
    this.#birth = start.birth;
    this.#signal = start.signal;
    this.#clockOffset = start.now - start.readAtMs;
  }

  get pod(): Pod | undefined {
    return this.#pod;
  }

  set pod(pod: Pod | undefined) {
    this.#pod = pod;
    if (pod !== undefined) this.#versions.add(pod.metadata.resourceVersion);
  }

  /** Of the node, with what is known better by now. */
  get facts(): NodeFacts {
    return this.grants === undefined ? this.node.facts : { ...this.node.facts, grants: this.grants };
  }

  get row(): PodRow {
    return { ...this.#held.value, ...this.#staged };
  }

  get birth(): Birth {
    return this.#birth;
  }

  /** The size and kind of the pod's group, as capacity goes by it. A pod that is gone counts as the smallest. */
  capacitySize(): string {
    const { facts } = this.node;
    if (this.pod === undefined) return capacityClass({ cpu: 0, zone: facts.zone });
    const { cpu } = toGroupResources(effectiveRequest(this.pod));
    const wishes = wishesOf(this.pod.metadata.annotations);
    return capacityClass({ cpu, zone: placed(facts, wishes).zone, kind: groupKind(wishes) });
  }

  /** Table service's time: read once at the start, then counted monotonically (a frozen process does not stop it). */
  now(): number {
    return this.#clockOffset + this.deps.clock.monotonicMs();
  }

  /** A signal for one call, or undefined when too little of the lock's term is left to make it. Call it last before the call. */
  callSignal(): AbortSignal | undefined {
    const remainingMs = (this.row.lock?.until ?? 0) - this.now() - leastTermMs;
    if (remainingMs <= 0 || this.#signal.aborted) return undefined;
    return within(this.deps, this.#signal, Math.min(remainingMs, longestCallMs));
  }

  /** Keeps changes for the next save: losing them in a crash loses nothing that the next poll would not say. */
  stage(changes: Partial<PodRow>): void {
    this.#staged = { ...this.#staged, ...changes };
  }

  /** Writes staged and given changes; `conflict` means that the row is no longer ours, and the work stops. */
  async save(changes: Partial<PodRow>, options: { readonly guardBirth?: boolean } = {}): Promise<Result<void>> {
    const birth = options.guardBirth === true ? { birth: this.#birth } : {};
    return this.#write((current) => {
      const { dirty, dirtyVersions } = current;
      return { ...withAgents({ ...this.row, ...changes }, current), dirty, dirtyVersions };
    }, birth);
  }

  /**
   * The last save: lets go of the lock. Somebody who came meanwhile has marked the row dirty: then it is due at once, unless
   * all that was reported are versions of the pod that this term knows.
   */
  async release(changes: Partial<PodRow>): Promise<Result<void>> {
    const last: PodRow = { ...this.row, ...changes, lock: undefined, dirty: false, dirtyVersions: [] };
    return this.#write((current) => {
      const row = withAgents(last, current);
      return isNews(current, this.#versions) ? { ...row, dueAt: this.now() } : row;
    }, {});
  }

  /** Removes the row, and what the pod used goes to the ledger with it. Who has marked it dirty meanwhile knows no more than we. */
  forget(usage: readonly UsageRecord[]): Promise<Result<void>> {
    return this.#whileOurs((previous) => this.deps.store.deletePod(this.node.key, previous, usage));
  }

  async #write(row: (current: PodRow) => PodRow, guard: { readonly birth?: Birth }): Promise<Result<void>> {
    const staged = this.#staged;
    const saved = await this.#whileOurs((previous) =>
      this.deps.store.upsertPod(this.node.key, row(previous.value), { previous, ...guard }),
    );
    if (!saved.ok) return saved;
    this.#held = saved.value;
    // What was staged meanwhile goes out with the next one.
    if (this.#staged === staged) this.#staged = {};
    return ok(undefined);
  }

  /**
   * Others may mark a locked row dirty and add what agents say or were given, and nothing else, so a conflict is tried once
   * more while the lock is ours.
   */
  async #whileOurs<T>(write: (previous: Versioned<PodRow>) => Promise<Result<T>>): Promise<Result<T>> {
    const lock = this.#held.value.lock;
    let previous = this.#held;
    for (let attempt = 0; ; attempt += 1) {
      const written = await write(previous);
      if (written.ok || written.fault.kind !== 'conflict' || attempt === 2) return written;
      const current = await this.deps.store.getPod(this.node.key, previous.value.uid);
      const theirs = current.ok ? current.value : undefined;
      if (theirs === undefined || theirs.value.lock?.owner !== lock?.owner || theirs.value.lock?.until !== lock?.until)
        return written;
      previous = theirs;
    }
  }
}

/** What others may add to a locked row. */
const withAgents = (row: PodRow, current: PodRow): PodRow => ({
  ...row,
  agent: joined(row.agent, current.agent),
  files: joinedFiles(row.files, current.files),
});
