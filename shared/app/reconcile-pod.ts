import { backoffMs } from '../core/backoff/backoff.ts';
import { describeFault, ok } from '../core/fault.ts';
import type { Fault } from '../core/fault.ts';
import { groupName } from '../core/group/identity.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { decide } from '../core/reconcile/decide.ts';
import { newPodRow } from '../core/reconcile/pod-row.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { rowAfter } from '../core/reconcile/row-after.ts';
import type { Decision, Outcome } from '../core/reconcile/observed.ts';
import type { ReadinessReport } from '../core/status/readiness.ts';
import { retryPolicy, timing } from '../core/reconcile/timing.ts';
import { isEcho, workNeeded } from '../core/reconcile/work-needed.ts';
import type { Versioned } from '../ports/state-store.ts';
import { defined } from '../core/defined.ts';
import { noteDecision } from './current-work.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';
import { observe } from './observe.ts';
import { perform, readPod } from './perform.ts';
import { PodSession } from './pod-session.ts';

/** What came of one reconcile. `busy`: another instance works on the pod; who has news for it makes the row due (`makeDue`). */
export type ReconcileOutcome =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'worked' }
  /** `planned`: the row says when to try again (Retry-After, back-off); otherwise nothing was written. */
  | { readonly kind: 'failed'; readonly fault: Fault; readonly planned: boolean };

const failed = (fault: Fault): ReconcileOutcome => ({ kind: 'failed', fault, planned: false });

/** Of gather, decide, perform: far more than any pod's next step takes. */
const mostRounds = 16;

export interface PodToReconcile {
  readonly ref: PodRef;
  /** Its row, where it was just read; one that has changed since refuses the claim. */
  readonly row?: Versioned<PodRow> | undefined;
  /** The version of the pod that an event reports; empty or absent: none, or the pod is gone. */
  readonly version?: string | undefined;
  /** What the relay's readiness probes found; those that come too late, or while another works on the pod, are reported again. */
  readonly reports?: readonly ReadinessReport[] | undefined;
  /** The row has new words of an agent, and was due at `plannedAt` before it was made due for them. */
  readonly heard?: { readonly plannedAt: number | undefined } | undefined;
}

/**
 * Brings one pod and its group together: gather, decide, perform, until the world asks for nothing more or for time.
 * Level-triggered and safe to run at any moment, by any number of instances: the row's lock lets one of them work.
 */
export async function reconcilePod(
  deps: Deps,
  node: NodeDeps,
  { ref, row: listed, ...news }: PodToReconcile,
  signal: AbortSignal,
): Promise<ReconcileOutcome> {
  // Before the service's time is asked for: a process that is frozen in between must not think it earlier than it is.
  const readAtMs = deps.clock.monotonicMs();
  const now = await deps.store.now();
  if (!now.ok) return failed(now.fault);
  const row = listed === undefined ? await deps.store.getPod(node.key, ref.uid) : ok(listed);
  if (!row.ok) return failed(row.fault);
  if (isLocked(row.value?.value, now.value)) return { kind: 'busy' };
  const start = { deps, node, now: now.value, readAtMs, signal };
  if (row.value === undefined) return reconcileNew(start, newRow(node, ref));
  const isHeard = news.heard !== undefined;
  const known = asPlanned(row.value.value, news.heard);
  const reports = relaysOwn(known, news.reports);
  if (!isHeard && isEcho(versionOf(news), known, now.value)) return { kind: 'nothing' };
  // By the row's name, not the caller's: a wrong name in an event must not make a living pod look absent.
  const read = await node.api.getPod(known, within(deps, signal, 8_000));
  if (!read.ok) return failed(read.fault);
  const pod = read.value?.metadata.uid === ref.uid ? read.value : undefined;
  const need = workNeeded(pod, known, now.value, { reports, isHeard });
  if (need === 'nothing') return { kind: 'nothing' };
  const session = await claim({ ...start, pod }, row.value, known);
  if ('kind' in session) return session;
  // No ARM read, and the next poll stays where it was.
  if (need === 'correct-conditions') session.correcting = { plannedAt: known.dueAt, ...defined({ reports }), isHeard };
  return work(session, undefined);
}

const asPlanned = (row: PodRow, heard: PodToReconcile['heard']): PodRow =>
  heard === undefined ? row : { ...row, dueAt: heard.plannedAt };

/** Of a container whose agent speaks the agent says whether it is ready. */
const relaysOwn = ({ agent }: PodRow, reports: PodToReconcile['reports']): PodToReconcile['reports'] =>
  agent === undefined ? reports : reports?.filter(({ container }) => !agent.expected.includes(container));

/** Of the pod's state, where nothing else is news. */
const versionOf = ({ version, reports }: Pick<PodToReconcile, 'version' | 'reports'>): string =>
  reports === undefined ? (version ?? '') : '';

/**
 * A pod without a row is claimed first and read second. The other way round another instance could end the pod and
 * forget its row in between: nothing would speak against the claim, and the pod that was read would be run once more.
 */
async function reconcileNew(start: Omit<Start, 'pod'>, row: PodRow): Promise<ReconcileOutcome> {
  const session = await claim({ ...start, pod: undefined }, undefined, row);
  if ('kind' in session) return session;
  return work(session, await readPod(session));
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
  const birth = await deps.store.getBirth(node.key, { mayBeRemembered: true });
  if (!birth.ok) return failed(birth.fault);
  const attempt = row.attempt + 1;
  const claimed: PodRow = {
    ...row,
    attempt,
    dirty: false,
    dirtyVersions: [],
    lock: { owner: `${deps.instance}/${Math.floor(deps.random() * 1e9)}`, until: now + timing.lockMs },
    dueAt: now + Math.max(timing.lockMs, backoffMs(retryPolicy, attempt, deps.random())),
  };
  // A row that begins does so with the birth marker: a node whose rows were removed gets none back.
  const guard = previous === undefined ? { previous, birth: birth.value } : { previous };
  const held = await deps.store.upsertPod(node.key, claimed, guard);
  if (!held.ok) return held.fault.kind === 'conflict' ? { kind: 'busy' } : failed(held.fault);
  return new PodSession({ ...start, held: held.value, birth: birth.value });
}

/** A permit that the term did not need is another's. */
async function work(session: PodSession, first: Outcome | undefined): Promise<ReconcileOutcome> {
  try {
    return await workRounds(session, first);
  } finally {
    session.reservation?.release();
  }
}

/** Gather, decide, perform, until a decision says when to come back. */
async function workRounds(session: PodSession, first: Outcome | undefined): Promise<ReconcileOutcome> {
  let outcome = first;
  for (let round = 0; round < mostRounds; round += 1) {
    const decision = decide(await observe(session, outcome));
    noteDecision(decision);
    outcome = await perform(session, decision.effects);
    // What a decision says of the row holds only when all its effects took place.
    if (outcome !== undefined) continue;
    if (decision.next.kind !== 'again') return finish(session, decision);
    session.stage(decision.row);
  }
  return finish(session, { row: {}, next: { kind: 'in', ms: timing.soonMs } });
}

/** Lets go of the lock and writes when to come back. */
async function finish(
  session: PodSession,
  decision: Pick<Decision, 'row' | 'next' | 'fault'>,
): Promise<ReconcileOutcome> {
  if (decision.next.kind === 'leave') return { kind: 'worked' };
  const { fault } = decision;
  if (fault !== undefined)
    session.deps.log.warn('pod waits after a fault', {
      uid: session.row.uid,
      pod: session.row.name,
      fault: describeFault(fault),
    });
  const { row, pod, deps } = session;
  const saved = await session.release(rowAfter(row, { decision, pod, now: session.now(), random: deps.random() }));
  if (!saved.ok && saved.fault.kind !== 'conflict') return failed(saved.fault);
  if (!saved.ok) await perform(session, decide(await observe(session, { kind: 'row-lost' })).effects);
  return fault === undefined ? { kind: 'worked' } : { kind: 'failed', fault, planned: saved.ok };
}
