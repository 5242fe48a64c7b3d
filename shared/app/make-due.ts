import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupName } from '../core/group/identity.ts';
import { countPlan } from '../core/reconcile/orphans.ts';
import type { UnexplainedOrphan } from '../core/reconcile/orphans.ts';
import { newPodRow } from '../core/reconcile/pod-row.ts';
import { markDirty } from '../core/reconcile/work-needed.ts';
import type { Intent, Orphan, PodRow } from '../core/reconcile/pod-row.ts';
import type { Versioned } from '../ports/state-store.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';

/**
 * Plans work on a pod, durably: its row is due now, or as soon as whoever holds its lock lets go. Whoever has read the pod
 * before this call, and has not claimed it yet, can't claim it any more: it may have missed what this call is about.
 * `version`: of the pod's state that is the only news; empty: anything may have happened.
 */
export async function makeDue(deps: Deps, node: NodeDeps, ref: PodRef, version = ''): Promise<Result<void>> {
  let known: Versioned<PodRow> | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const now = await deps.store.now();
    if (!now.ok) return now;
    const found = await deps.store.getPod(node.key, ref.uid);
    if (!found.ok) return found;
    const change = changeOf(node, ref, { found: found.value, known, now: now.value, version });
    if (change === undefined) return ok(undefined);
    const planned = await write(deps, node, change, found.value);
    if (planned.ok || planned.fault.kind !== 'conflict' || attempt === 3) return planned;
    known = found.value;
  }
}

interface Seen {
  readonly found: Versioned<PodRow> | undefined;
  /** As the attempt before had it. */
  readonly known: Versioned<PodRow> | undefined;
  readonly now: number;
  readonly version: string;
}

/** The row to write, or undefined when it says already what it must. */
function changeOf(node: NodeDeps, ref: PodRef, { found, known, now, version }: Seen): PodRow | undefined {
  const row = found?.value ?? newRow(node, ref);
  if (row.lock !== undefined && row.lock.until > now) {
    const mark = markDirty(row, version);
    return mark === undefined ? undefined : { ...row, ...mark };
  }
  if (row.dueAt === undefined || row.dueAt > now) return { ...row, dueAt: now };
  // Due already, and written as it is: its new ETag refuses a claim by who read it before. Somebody who has written it
  // since this call began has done the same, so that of many calls at once one writes.
  const isTouched = known !== undefined && known.etag !== found?.etag;
  return isTouched ? undefined : row;
}

/**
 * A PUT for the pod came to its end after its sender's term: what was seen before of its group, or of none, counts no more.
 * Nobody's row says so and is due; one that somebody works on is due afterwards.
 */
export async function noteLatePut(
  deps: Deps,
  node: NodeDeps,
  ref: PodRef,
  { at, isAccepted }: { readonly at: number; readonly isAccepted: boolean },
): Promise<Result<void>> {
  const found = await deps.store.getPod(node.key, ref.uid);
  if (!found.ok) return found;
  const row = found.value?.value;
  if (row !== undefined && (row.lock === undefined || row.lock.until <= at)) {
    const intent = intentAfter(row.intent, { isAccepted, at });
    const noted = await write(deps, node, { ...row, intent, absentSince: undefined, dueAt: at }, found.value);
    if (noted.ok || noted.fault.kind !== 'conflict') return noted;
  }
  return makeDue(deps, node, ref);
}

function intentAfter(
  before: Intent,
  { isAccepted, at }: { readonly isAccepted: boolean; readonly at: number },
): Intent {
  if (before.kind === 'accepted') return { ...before, at };
  if (isAccepted) return { kind: 'accepted', at };
  const replaces = before.kind === 'deleted' || (before.kind === 'open' && before.replaces === true);
  return { kind: 'open', at, ...(replaces && { replaces }) };
}

export interface OrphanMark {
  readonly orphan: UnexplainedOrphan;
  readonly state: 'held' | 'released';
  /** As the resync has read it. */
  readonly row: Versioned<PodRow> | undefined;
  readonly now: number;
}

/**
 * Writes down what a resync made of an orphan, only if the row is still as the resync has read it and nobody works on the
 * pod: whoever does finds it, and the next resync counts it again. One without a row gets one when it is released; till then
 * the node's row holds it.
 */
export async function markOrphan(deps: Deps, node: NodeDeps, mark: OrphanMark): Promise<Result<void>> {
  const row = mark.row?.value ?? newRow(node, mark.orphan.owner);
  const isLocked = row.lock !== undefined && row.lock.until > mark.now;
  const isHeld = mark.state === 'held' && (mark.row === undefined || row.orphan?.state === 'held');
  if (isLocked || isHeld) return ok(undefined);
  const orphan: Orphan = { state: mark.state, since: mark.orphan.since };
  const dueAt = mark.state === 'held' ? mark.now + countPlan(orphan, mark.now).ms : mark.now;
  const saved = await write(deps, node, { ...row, seen: undefined, orphan, dueAt }, mark.row);
  return saved.ok || saved.fault.kind === 'conflict' ? ok(undefined) : saved;
}

const newRow = (node: NodeDeps, { namespace, name, uid }: PodRef): PodRow =>
  newPodRow({
    namespace,
    name,
    uid,
    group: groupName({ installation: node.facts.installation, namespace, name, uid }),
  });

/** A row that begins does so with the birth marker: a node whose rows were removed gets none back. */
async function write(
  deps: Deps,
  node: NodeDeps,
  row: PodRow,
  previous: Versioned<PodRow> | undefined,
): Promise<Result<void>> {
  const birth = previous === undefined ? await deps.store.getBirth(node.key) : undefined;
  if (birth?.ok === false) return birth;
  const guard = { previous, ...(birth === undefined ? {} : { birth: birth.value }) };
  const saved = await deps.store.upsertPod(node.key, row, guard);
  return saved.ok ? ok(undefined) : saved;
}
