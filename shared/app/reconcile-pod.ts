import { backoffMs } from '../core/backoff/backoff.ts';
import { describeFault, fail } from '../core/fault.ts';
import type { Fault } from '../core/fault.ts';
import { groupName } from '../core/group/identity.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { decide } from '../core/reconcile/decide.ts';
import { newPodRow } from '../core/reconcile/pod-row.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { Next } from '../core/reconcile/observed.ts';
import { retryPolicy, timing } from '../core/reconcile/timing.ts';
import { seenKey, workNeeded } from '../core/reconcile/work-needed.ts';
import { mendedStatus, statusToWrite } from '../core/status/status.ts';
import type { Versioned } from '../ports/state-store.ts';
import { noteDecision } from './current-work.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';
import { observe } from './observe.ts';
import { patchStatus } from './patch-status.ts';
import { perform } from './perform.ts';
import { later } from './performed.ts';
import type { Performed } from './performed.ts';
import { outOfTime, PodSession } from './pod-session.ts';

/** What came of one reconcile. `busy`: another instance works on the pod; who has news for it makes the row due (`makeDue`). */
export type ReconcileOutcome =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'worked' }
  /** `planned`: the row says when to try again (Retry-After, back-off); otherwise nothing was written. */
  | { readonly kind: 'failed'; readonly fault: Fault; readonly planned: boolean };

const failed = (fault: Fault): ReconcileOutcome => ({ kind: 'failed', fault, planned: false });

const mostRounds = 8;

/**
 * Brings one pod and its group together: gather, decide, perform, until the world asks for nothing more or for time.
 * Level-triggered and safe to run at any moment, by any number of instances: the row's lock lets one of them work.
 */
export async function reconcilePod(
  deps: Deps,
  node: NodeDeps,
  ref: PodRef,
  signal: AbortSignal,
): Promise<ReconcileOutcome> {
  // Before the service's time is asked for: a process that stands still in between must not think it earlier than it is.
  const readAtMs = deps.clock.monotonicMs();
  const now = await deps.store.now();
  if (!now.ok) return failed(now.fault);
  const row = await deps.store.getPod(node.key, ref.uid);
  if (!row.ok) return failed(row.fault);
  if (isLocked(row.value?.value, now.value)) return { kind: 'busy' };
  const start = { deps, node, now: now.value, readAtMs, signal };
  if (row.value === undefined) return reconcileNew(start, newRow(node, ref));
  const known = row.value.value;
  // By the row's name, not the caller's: a wrong name in an event must not make a living pod look absent.
  const read = await node.api.getPod(known, within(deps, signal, 8_000));
  if (!read.ok) return failed(read.fault);
  const pod = read.value?.metadata.uid === ref.uid ? read.value : undefined;
  const need = workNeeded(pod, known, now.value);
  if (need === 'nothing') return { kind: 'nothing' };
  const session = await claim({ ...start, pod }, row.value, known);
  if ('kind' in session) return session;
  return need === 'mend-conditions' ? mend(session, known.dueAt) : work(session);
}

/**
 * A pod without a row is claimed first and read second. The other way round another instance could end the pod and
 * forget its row in between: nothing would stand against the claim, and the pod that was read would be run once more.
 */
async function reconcileNew(start: Omit<Start, 'pod'>, row: PodRow): Promise<ReconcileOutcome> {
  const session = await claim({ ...start, pod: undefined }, undefined, row);
  if ('kind' in session) return session;
  const signal = session.callSignal();
  const read = signal === undefined ? fail(outOfTime) : await start.node.api.getPod(row, signal);
  if (!read.ok) return finish(session, { next: later(read.fault).next, row: {}, fault: read.fault });
  session.pod = read.value?.metadata.uid === row.uid ? read.value : undefined;
  return work(session);
}

const newRow = (node: NodeDeps, ref: PodRef): PodRow =>
  newPodRow({ ...ref, group: groupName({ installation: node.facts.installation, ...ref }) });

const isLocked = (row: PodRow | undefined, now: number): boolean => row?.lock !== undefined && row.lock.until > now;

interface Start {
  readonly deps: Deps;
  readonly node: NodeDeps;
  readonly pod: Pod | undefined;
  /** The Table service's time, and the monotonic one when it was asked for. */
  readonly now: number;
  readonly readAtMs: number;
  readonly signal: AbortSignal;
}

/** Before work starts the row moves to a later time, so that a pod that kills the worker is neither lost nor in the way. */
async function claim(
  start: Start,
  previous: Versioned<PodRow> | undefined,
  row: PodRow,
): Promise<PodSession | ReconcileOutcome> {
  const { deps, node, now } = start;
  const birth = await deps.store.getBirth(node.key);
  if (!birth.ok) return failed(birth.fault);
  const attempt = row.attempt + 1;
  const claimed: PodRow = {
    ...row,
    attempt,
    dirty: false,
    lock: { owner: `${deps.instance}/${Math.floor(deps.random() * 1e9)}`, until: now + timing.lockMs },
    dueAt: now + Math.max(timing.lockMs, backoffMs(retryPolicy, attempt, deps.random())),
  };
  // A row that begins does so with the birth marker: a node whose rows were removed gets none back.
  const guard = previous === undefined ? { previous, birth: birth.value } : { previous };
  const held = await deps.store.upsertPod(node.key, claimed, guard);
  if (!held.ok) return held.fault.kind === 'conflict' ? { kind: 'busy' } : failed(held.fault);
  return new PodSession({ ...start, held: held.value, birth: birth.value });
}

async function work(session: PodSession): Promise<ReconcileOutcome> {
  for (let round = 0; round < mostRounds; round += 1) {
    const ended = await workRound(session);
    if (ended !== undefined) return ended;
  }
  return finish(session, { next: { kind: 'in', ms: 1_000 }, row: {} });
}

/** One gather, decide, perform; undefined asks for another. */
async function workRound(session: PodSession): Promise<ReconcileOutcome | undefined> {
  const observed = await observe(session);
  if (!observed.ok) return conclude(session, later(observed.fault), {});
  const lookedAt = session.sight.kind === 'unread' ? session.row.lookedAt : observed.value.now;
  const decision = decide(observed.value);
  noteDecision(decision);
  const performed = await perform(session, decision.effects);
  // What a decision says of the row holds only when all its effects took place.
  if (performed.kind !== 'done') return conclude(session, performed, { lookedAt });
  const row: Partial<PodRow> = { lookedAt, ...decision.row };
  if (decision.next.kind === 'again') {
    session.stage(row);
    return undefined;
  }
  return finish(session, { next: decision.next, row });
}

async function conclude(
  session: PodSession,
  performed: Exclude<Performed, { kind: 'done' }>,
  row: Partial<PodRow>,
): Promise<ReconcileOutcome | undefined> {
  if (performed.kind === 'released') return { kind: 'worked' };
  if (performed.next.kind === 'again') {
    session.stage(row);
    return undefined;
  }
  const fault = performed.fault;
  if (fault !== undefined)
    session.deps.log.warn('pod waits after a fault', {
      uid: session.row.uid,
      pod: session.row.name,
      fault: describeFault(fault),
    });
  return finish(session, {
    next: performed.next,
    row: { ...row, ...performed.row },
    ...(fault === undefined ? {} : { fault }),
  });
}

/** Only our own conditions are at odds with the containers: no ARM read, and the next look stays where it was. */
async function mend(session: PodSession, plannedAt: number | undefined): Promise<ReconcileOutcome> {
  const { pod } = session;
  const status = pod === undefined ? undefined : statusToWrite(pod, mendedStatus(pod, session.now()));
  const performed: Performed = status === undefined ? { kind: 'done' } : await patchStatus(session, status);
  const planned: Next =
    plannedAt === undefined ? { kind: 'idle' } : { kind: 'in', ms: Math.max(0, plannedAt - session.now()) };
  return finish(session, { next: performed.kind === 'stop' ? { kind: 'in', ms: 1_000 } : planned, row: {} });
}

interface Finish {
  readonly next: Next;
  readonly row: Partial<PodRow>;
  readonly fault?: Fault;
}

/** Lets go of the lock and writes when to come back. */
async function finish(session: PodSession, end: Finish): Promise<ReconcileOutcome> {
  const now = session.now();
  const changes: Partial<PodRow> = {
    ...end.row,
    attempt: attemptAfter(session.row, end),
    dueAt: dueAt(session, end.next, now),
    seen: session.pod === undefined ? session.row.seen : seenKey(session.pod),
  };
  const saved = await session.release(changes);
  if (!saved.ok && saved.fault.kind !== 'conflict') return failed(saved.fault);
  return end.fault === undefined ? { kind: 'worked' } : { kind: 'failed', fault: end.fault, planned: saved.ok };
}

/**
 * Failures in a row. While the pod's last fault stands, work that went well in between (the next group is accepted, and
 * looked at) is neither a failure nor the end of them.
 */
function attemptAfter(row: PodRow, { next, row: changes }: Finish): number {
  if (next.kind === 'backoff') return row.attempt;
  const fault = 'fault' in changes ? changes.fault : row.fault;
  return fault === undefined ? 0 : row.attempt - 1;
}

function dueAt(session: PodSession, next: Next, now: number): number | undefined {
  switch (next.kind) {
    case 'again':
      return now;
    case 'in':
      return now + next.ms;
    case 'backoff':
      return now + backoffMs(retryPolicy, session.row.attempt, session.deps.random());
    case 'idle':
      return undefined;
  }
}
