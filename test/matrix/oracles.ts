import type { ContainerRun } from '../../infra/local/sim/group-life.ts';
import type { Result } from '../../shared/core/fault.ts';
import { groupOwner } from '../../shared/core/group/identity.ts';
import type { GroupBody, GroupObservation, ObservedState } from '../../shared/core/group/group.ts';
import { isTerminalPhase } from '../../shared/core/kubernetes/pod.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../shared/core/kubernetes/pod.ts';
import type { LogFields } from '../../shared/ports/log.ts';
import type { RowWrite } from '../../shared/adapters/tables/row-table.ts';
import type { World } from '../app/world.ts';
import type { Call } from './instance.ts';
import type { Life } from './life.ts';
import { terms, windowPutAt } from './window.ts';

/** The oracles of docs/architecture.md. */
export type Oracle = 'O1' | 'O2' | 'O3' | 'O4' | 'O5' | 'O6' | 'O7';

export interface Violation {
  readonly oracle: Oracle;
  readonly text: string;
}

/** Values that only a container, or ACI's `secureValue`, may hold. */
export const plantedSecret = 'planted-7f3a9c';
const secrets = new RegExp(`${plantedSecret}|token-\\d+-of-`);

/** What became of one pod, as the API server had it. */
export interface PodStory {
  readonly uid: string;
  pod: Pod;
  readonly createdAt: number;
  /** When somebody asked for its deletion. */
  deletedAt: number | undefined;
  goneAt: number | undefined;
  /** Taken away by another hand than the app's: nobody could write down how it ended. */
  wasForced: boolean;
}

type ArmWrite = 'groups.createOrUpdate' | 'groups.stop' | 'groups.delete';
const armWrites: ReadonlySet<string> = new Set<ArmWrite>(['groups.createOrUpdate', 'groups.stop', 'groups.delete']);

/** Sees all that happens in a life, and says at once what may not be. */
export class Witness {
  readonly violations: Violation[] = [];
  readonly stories = new Map<string, PodStory>();
  /** ARM's answers to the app: the last state shown of each container, by group. */
  readonly #shown = new Map<string, GroupObservation>();
  /** Requests to ARM, by name and time. */
  readonly arm: { readonly name: string; readonly at: number; readonly group: string; readonly isDone: boolean }[] = [];
  /** Locks are lost with the tables; until the terms of those are over nobody can tell who held one. */
  tablesLostAt = -Infinity;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    world.cluster.watchPods((change, pod) => this.#onPod(change, pod));
  }

  get armWrites(): number {
    return this.arm.filter(({ name }) => armWrites.has(name)).length;
  }

  report(oracle: Oracle, text: string): void {
    const at = ((this.#world.now - this.#startedAt) / 1000).toFixed(1);
    this.violations.push({ oracle, text: `${text} (at ${at} s)` });
  }

  readonly #startedAt = Date.parse('2026-11-23T12:00:00Z');

  onLog(message: string, fields: LogFields | undefined): void {
    this.#noSecret('a log line', [message, fields]);
  }

  onCall(call: Call): void {
    const [, method = ''] = call.name.split('.');
    if (!call.isSent) return;
    if (call.name.startsWith('groups.')) this.#onArm(call);
    else if (call.name === 'table.submit')
      for (const write of call.args[1] as readonly RowWrite[]) this.#noSecret('a row', textOf(write));
    else if (['api.createEvent', 'api.repeatEvent', 'api.patchPodStatus'].includes(call.name))
      this.#noSecret(method, call.args[call.args.length - 1]);
    else if (call.name === 'api.deletePod') this.#onPodRemoved(call);
  }

  /**
   * O5. A secret value stands nowhere but in the container and in what ACI keeps secret: no row, log line, tag, event,
   * status.
   */
  #noSecret(where: string, value: unknown): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (text !== undefined && secrets.test(text)) this.report('O5', `a secret stands in ${where}: ${text}`);
  }

  // --- ARM ---------------------------------------------------------------------------------------------------------

  #onArm(call: Call): void {
    const [group = ''] = call.args as readonly string[];
    const answer = call.answer as Result<unknown>;
    this.arm.push({ name: call.name, at: this.#world.now, group, isDone: answer.ok && answer.value !== 'absent' });
    if (call.name === 'groups.get' && answer.ok) this.#shown.set(group, answer.value as GroupObservation);
    if (!armWrites.has(call.name)) return;
    if (this.arm.at(-1)?.isDone === true) this.#holdsLock(call, group);
    if (call.name === 'groups.createOrUpdate') this.#onPut(call.args[1] as GroupBody, answer.ok);
    else if (this.arm.at(-1)?.isDone === true) this.#hasHarvested(call.name, group);
  }

  /**
   * O2, rule 2: who changes a group holds the lock of its pod, and its term is not over. Only what arrives in the
   * documented window may break this. When the tables were lost a moment ago, the lock of who worked is lost as well;
   * a PUT can only have been under way then, and none follows before the tables are 60 s old.
   */
  #holdsLock(call: Call, group: string): void {
    const row = this.#world.rows().find((one) => one.group === group);
    const afterLossMs = call.name === 'groups.createOrUpdate' ? terms.birthMs : terms.lockMs;
    if (row === undefined || this.#world.now - this.tablesLostAt < afterLossMs) return;
    // A PUT is also covered by its intent: nobody else sends one before it is old.
    const isCovered = row.intent.kind === 'open' && this.#world.now - row.intent.at < terms.openIntentMs;
    if (call.name === 'groups.createOrUpdate' && isCovered) return;
    const left = (row.lock?.until ?? -Infinity) - this.#world.now;
    if (row.lock?.owner.startsWith(`${call.instance.name}/`) === true && left > 0) return;
    const holder = row.lock === undefined ? 'nobody' : `${row.lock.owner} for ${left} ms`;
    this.report('O2', `${call.instance.name} sends ${call.name} and its lock is held by ${holder}`);
  }

  /** O2: nothing is started for a pod that is over. A kubelet may be late as well, but not by more than a lock's term. */
  #onPut(body: GroupBody, isDone: boolean): void {
    this.#noSecret('a tag', body.tags);
    const plain = [...body.containers, ...body.initContainers].flatMap(({ environmentVariables, command }) => [
      command,
      environmentVariables.map(({ name, value }) => [name, value]),
    ]);
    this.#noSecret('a plain value', plain);
    const story = this.stories.get(groupOwner(body.tags)?.uid ?? '');
    if (!isDone || story === undefined) return;
    const isOver = isTerminalPhase(story.pod.status.phase);
    if (isOver || (story.goneAt !== undefined && this.#world.now - story.goneAt > 60_000))
      this.report('O2', `a group is PUT for a pod that is ${isOver ? 'over' : 'gone'}`);
  }

  /** O3, rule 6: an end that ARM has shown stands in the pod's status before anything erases it. */
  #hasHarvested(name: string, group: string): void {
    const seen = this.#shown.get(group);
    const pod = this.stories.get(groupOwner(seen?.tags ?? {})?.uid ?? '');
    if (seen === undefined || pod === undefined || pod.goneAt !== undefined) return;
    const { initContainerStatuses, containerStatuses } = pod.pod.status;
    const statuses = new Map([...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]));
    for (const { name: container, instanceView } of [...seen.initContainers, ...seen.containers]) {
      const shown = instanceView?.currentState;
      if (shown?.state === 'Terminated' && !knowsEnd(statuses.get(container), shown))
        this.report('O3', `${name} erases the end of ${container} (${shown.exitCode}), which is in no status`);
    }
  }

  // --- Kubernetes --------------------------------------------------------------------------------------------------

  #onPod(change: string, pod: Pod): void {
    const { uid } = pod.metadata;
    const { now } = this.#world;
    const known = this.stories.get(uid);
    const isDeleting = pod.metadata.deletionTimestamp !== undefined || change === 'deleted';
    const story: PodStory = known ?? {
      uid,
      pod,
      createdAt: now,
      deletedAt: undefined,
      goneAt: undefined,
      wasForced: false,
    };
    if (known !== undefined) this.#goesForward(known.pod, pod);
    if (isDeleting) story.deletedAt ??= now;
    if (change === 'deleted') {
      story.goneAt = now;
      story.wasForced = !isTerminalPhase(pod.status.phase);
    }
    story.pod = pod;
    this.stories.set(uid, story);
    this.#tellsTheTruth(pod);
  }

  /** O4: phase never goes back, a terminal one is final, and no restart is forgotten. */
  #goesForward(before: Pod, after: Pod): void {
    const ranks = { Unknown: 0, Pending: 1, Running: 2, Succeeded: 3, Failed: 3 };
    const from = before.status.phase;
    const to = after.status.phase;
    if (ranks[to] < ranks[from] || (isTerminalPhase(from) && from !== to))
      this.report('O4', `phase goes from ${from} to ${to}`);
    for (const status of after.status.containerStatuses) {
      const known = before.status.containerStatuses.find(({ name }) => name === status.name);
      if (known !== undefined && status.restartCount < known.restartCount)
        this.report('O4', `restartCount of ${status.name} falls`);
    }
  }

  /** O3: what the status says of a run, its start, end and code, is what was. Only an unknown end is 137 without a run. */
  #tellsTheTruth(pod: Pod): void {
    const runs = runsOf(this.#world, pod.metadata.uid);
    for (const { name, state, lastState } of [...pod.status.initContainerStatuses, ...pod.status.containerStatuses])
      for (const said of [state, lastState]) {
        if (
          said === undefined ||
          isTrue(
            said,
            runs.filter(({ container }) => container === name),
          )
        )
          continue;
        this.report('O3', `the status of ${name} tells of a run that was not: ${JSON.stringify(said)}`);
      }
  }

  /** O1 and O3, rule 6: first the group is gone and the end is written, then the pod's object goes. */
  #onPodRemoved(call: Call): void {
    const [target, options] = call.args as [Pod, { readonly gracePeriodSeconds?: number }];
    const { uid } = target.metadata;
    const story = this.stories.get(uid);
    if (options.gracePeriodSeconds !== undefined || !(call.answer as Result<void>).ok || story === undefined) return;
    // Another hand was quicker.
    if (story.goneAt !== undefined && story.goneAt !== this.#world.now) return;
    story.wasForced = false;
    if (groupsOf(this.#world, uid).length > 0) this.report('O1', 'a pod is removed while its group is there');
    if (!isTerminalPhase(story.pod.status.phase)) this.report('O3', 'a pod is removed without its last status');
  }
}

const textOf = (write: RowWrite): string => ('text' in write ? write.text : '');

const seconds = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

export function isTrue(said: ContainerState, runs: readonly ContainerRun[]): boolean {
  switch (said.kind) {
    case 'waiting':
      return true;
    case 'running':
      return runs.some((run) => seconds(run.startedAt) === said.startedAt);
    case 'terminated':
      if (said.reason === 'ContainerStatusUnknown') return said.exitCode === 137;
      return runs.some(
        (run) =>
          run.end === 'exited' &&
          run.exitCode === said.exitCode &&
          seconds(run.startedAt) === said.startedAt &&
          seconds(run.endedAt) === said.finishedAt,
      );
  }
}

/** An end that is final stays the end, should a new group run the container once more: then its code is enough. */
const knowsEnd = (status: ContainerStatus | undefined, shown: ObservedState): boolean =>
  [status?.state, status?.lastState].some((state) => state?.kind === 'terminated' && state.exitCode === shown.exitCode);

const uidOf = (tags: GroupBody['tags']): string => groupOwner(tags)?.uid ?? '';

export const runsOf = (world: World, uid: string): readonly ContainerRun[] =>
  world.groups.runs().filter(({ tags }) => uidOf(tags) === uid);

export const groupsOf = (world: World, uid: string): readonly string[] =>
  world.groups.names().filter((name) => uidOf(world.groups.readGroup(name)?.body.tags ?? {}) === uid);

/**
 * O2, at the end of a life: every run of a container but its first follows one that Kubernetes would have followed up:
 * the container ended by itself and the restart policy says so, or somebody else took the group away and the policy is
 * not `Never`. A run that our own stop, DELETE or PUT ended is never followed by another.
 */
export function findSecondRuns({ world, witness }: Life): void {
  for (const { uid, pod } of witness.stories.values()) {
    const runs = runsOf(world, uid);
    const lost = new Set(runs.filter(({ end }) => end === 'removed').map(runGroupKey));
    for (const [container, ofOne] of Map.groupBy(runs, ({ container }) => container)) {
      const sorted = ofOne.toSorted((a, b) => a.startedAt - b.startedAt);
      sorted.slice(1).forEach((run, index) => {
        const before = sorted[index];
        if (before !== undefined && !mayFollow(pod, before, { run, wasLost: lost.has(runGroupKey(before)) }))
          witness.report('O2', `${container} runs again after a run that ${before.end} (${before.exitCode})`);
      });
    }
  }
}

const runGroupKey = (run: ContainerRun): string => run.group;

function mayFollow(
  pod: Pod,
  before: ContainerRun,
  { run, wasLost }: { readonly run: ContainerRun; readonly wasLost: boolean },
): boolean {
  const { restartPolicy } = pod.spec;
  if (before.endedAt === undefined || before.endedAt > run.startedAt || restartPolicy === 'Never') return false;
  if (before.end === 'removed' || (wasLost && run.isInit)) return true;
  if (before.end !== 'exited') return false;
  return before.exitCode !== 0 || (restartPolicy === 'Always' && !run.isInit);
}

/** An end that ARM showed for so long must have been told: a term of the lock, a look, and a stale answer. */
const harvestedWithinMs = 60_000;

/**
 * O3, at the end of a life: a container that had ended for good before anybody asked for its pod's deletion has its own
 * code in the pod's last status. A late PUT of the window
 * erases what stood there: an end that could not be told by then, and what ran after it, is not asked for.
 */
export function findLostEnds({ world, witness, late }: Life): void {
  const erasedFrom = windowPutAt(late) - harvestedWithinMs;
  for (const story of witness.stories.values()) {
    if (story.wasForced) continue;
    const { status } = story.pod;
    for (const { name, state, lastState } of [...status.initContainerStatuses, ...status.containerStatuses]) {
      const ends = runsOf(world, story.uid).filter(
        (run) => run.container === name && isFinal(story, run) && (run.endedAt ?? 0) < erasedFrom,
      );
      const codes = ends.map(({ exitCode }) => exitCode);
      const said = [state, lastState].flatMap((one) => (one?.kind === 'terminated' ? one.exitCode : []));
      if (codes.length > 0 && !said.some((code) => codes.includes(code)))
        witness.report('O3', `${name} ended with ${codes.join(',')}, and its pod says ${JSON.stringify(state)}`);
    }
  }
}

function isFinal({ pod, deletedAt }: PodStory, run: ContainerRun): boolean {
  if (run.end !== 'exited' || (deletedAt !== undefined && (run.endedAt ?? Infinity) >= deletedAt)) return false;
  const policy = run.isInit && pod.spec.restartPolicy === 'Always' ? 'OnFailure' : pod.spec.restartPolicy;
  return policy === 'Never' || (policy === 'OnFailure' && run.exitCode === 0);
}

/** How many requests of each kind the life of one pod without faults may cost. */
export interface ArmBudget {
  readonly puts: number;
  readonly stops: number;
  readonly deletes: number;
}

const fiveMinutesMs = 300_000;
/** docs/aci.md, Budgets: creates and deletes in five minutes; reads a second (ARM's bucket refills 25). */
const windowLimit = 100;

/**
 * O6: the requests of a life stay within ARM's windows, and within what the life needs: each fault may cost each kind
 * of request once more, and reads are a look each second and a half at most, over the whole.
 */
export function findOverspending({ witness, faultsMet, isPair }: Life, budget: ArmBudget): void {
  const times = (name: string, isDone: boolean): readonly number[] =>
    witness.arm.filter((one) => one.name === name && (!isDone || one.isDone)).map(({ at }) => at);
  const limits: readonly (readonly [ArmWrite, number])[] = [
    ['groups.createOrUpdate', budget.puts],
    ['groups.stop', budget.stops],
    ['groups.delete', budget.deletes],
  ];
  for (const [name, most] of limits) {
    const all = times(name, false);
    if (all.length > most + faultsMet) witness.report('O6', `${name} is sent ${all.length} times`);
    const crowded = all.some((at, index) => (all[index + windowLimit] ?? Infinity) - at < fiveMinutesMs);
    if (crowded) witness.report('O6', `${name} is sent more than ${windowLimit} times in five minutes`);
  }
  const reads = witness.arm.filter(({ name }) => !armWrites.has(name)).map(({ at }) => at);
  const lived = ((reads.at(-1) ?? 0) - (reads[0] ?? 0)) / 1000;
  const most = 20 + lived / 1.5 + (faultsMet + Number(isPair)) * 10;
  if (reads.length > most) witness.report('O6', `${reads.length} reads in ${lived.toFixed(0)} s`);
}

/**
 * O7 and O1: why the world is not at rest yet, or undefined. At rest means: a live pod has one group, whose containers
 * its status tells of, and a row that is due some day; an ended one has nothing that runs and a row that is done; of one
 * that is gone there is neither row nor group; no row is locked, no due key is left over, the Node is there.
 */
export function unsettled({ world, key, witness: { stories } }: Life): string | undefined {
  const rows = new Map(world.store.readPods(key).map((row) => [row.uid, row]));
  for (const story of stories.values()) {
    const why = unsettledPod(world, story, rows.get(story.uid));
    if (why !== undefined) return `${story.uid.slice(-2)}: ${why}`;
  }
  for (const row of rows.values()) if (!stories.has(row.uid)) return `a row of nobody: ${row.uid}`;
  const stale = world.store.readDue(key).find(({ uid, dueAt }) => rows.get(uid)?.dueAt !== dueAt);
  if (stale !== undefined) return `a due key is left over: ${stale.uid}`;
  const strays = world.groups
    .names()
    .filter((name) => !stories.has(uidOf(world.groups.readGroup(name)?.body.tags ?? {})));
  if (strays.length > 0) return `groups of nobody: ${strays.join(', ')}`;
  return world.cluster.nodes.get(key.node).ok ? undefined : 'the Node is missing';
}

type Row = ReturnType<World['rows']>[number];

function unsettledPod(world: World, story: PodStory, row: Row | undefined): string | undefined {
  const { uid, pod } = story;
  const groups = groupsOf(world, uid);
  const alive = runsOf(world, uid).filter(({ end }) => end === 'running');
  if (story.goneAt !== undefined) {
    if (groups.length > 0 || alive.length > 0) return 'a group of a pod that is gone';
    return row === undefined ? undefined : 'a row of a pod that is gone';
  }
  if (pod.metadata.deletionTimestamp !== undefined && pod.metadata.deletionGracePeriodSeconds !== 0)
    return 'a pod that is to go is there';
  if (row === undefined) return 'no row';
  if (row.lock !== undefined) return 'a lock';
  if (isTerminalPhase(pod.status.phase)) {
    if (alive.length > 0) return 'what is over still runs';
    return row.settled ? undefined : 'its end is not settled';
  }
  return unsettledLiving(pod, row, { groups, alive, now: world.now });
}

function unsettledLiving(
  pod: Pod,
  row: Row,
  seen: { readonly groups: readonly string[]; readonly alive: readonly ContainerRun[]; readonly now: number },
): string | undefined {
  // What ACI can't run waits without costing anything.
  const isRefused = pod.metadata.ownerReferences.some(({ kind }) => kind === 'DaemonSet');
  if (isRefused)
    return seen.groups.length === 0 && row.dueAt === undefined ? undefined : 'a refused pod costs something';
  if (seen.groups.length !== 1) return `${seen.groups.length} groups of a live pod`;
  if (row.dueAt === undefined || row.dueAt < seen.now - 30_000) return `due at ${row.dueAt}`;
  const told = pod.status.containerStatuses.every(
    ({ name, state }) =>
      state.kind === 'running' &&
      seen.alive.some((run) => run.container === name && seconds(run.startedAt) === state.startedAt),
  );
  return told && seen.alive.length > 0 ? undefined : 'its status does not tell of what runs';
}
