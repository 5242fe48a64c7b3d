import pLimit from 'p-limit';
import { describeFault } from '../core/fault.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { waitsForCount } from '../core/reconcile/orphans.ts';
import type { DuePod } from '../ports/state-store.ts';
import type { Deps, NodeDeps } from './deps.ts';
import type { ReconcileOutcome } from './reconcile-pod.ts';
import { traceReconcile } from './trace-reconcile.ts';

/** A few are tried first; once there is an answer, as many as make joint requests worth it. */
const firstAtOnce = 8;
const atOnce = 20;
const dueAtOnce = 50;
/** So many reconciles in a row that waited in vain show that nobody answers. */
const mostTimeOuts = firstAtOnce;
/** A reconcile that fails after so long has waited for an answer in vain. */
const timeOutMs = 4_000;

/** In a long run a pod that is to go is tried again: it may wait for a budget that fills up within a second. */
const tryAgainMs = 500;

/** One node's part of a run. */
export interface NodeSweep {
  readonly deps: Deps;
  readonly node: NodeDeps;
  readonly signal: AbortSignal;
  /** When each pod was tried, monotonic ms: what is due again at once is the next run's, unless others wait for it. */
  readonly tried: Map<string, number>;
  /** Due, and orphans that wait for a resync's count. */
  readonly uncounted: Set<string>;
  /** This run has counted: what still waits is polled alone, and comes back later. */
  isCounted: boolean;
  worked: number;
  failed: number;
  /** Reconciles in a row that waited in vain. */
  timeOuts: number;
}

/**
 * Reconciles what is due on one node, who is to go first, then the oldest, until nothing new is. After some time-outs in a row its API server is taken to be silent, and the rest is left to the next run.
 */
export async function sweepDue(own: NodeSweep): Promise<void> {
  const { deps, node, tried, signal } = own;
  const limit = pLimit(own.worked > 0 ? atOnce : firstAtOnce);
  while (!signal.aborted && !isSilent(own)) {
    const time = await deps.store.now();
    const now = time.ok ? time.value : 0;
    const due = time.ok ? await deps.store.listDue(node.key, now, dueAtOnce) : time;
    if (!due.ok) {
      deps.log.warn('due rows could not be read', { node: nodeKeyText(node.key), fault: describeFault(due.fault) });
      return;
    }
    const nowMs = deps.clock.monotonicMs();
    const fresh = due.value
      .filter((one) => mayBeTried(one, tried, nowMs) && (own.isCounted || !own.uncounted.has(one.uid)))
      .toSorted((left, right) => Number(isToGo(right)) - Number(isToGo(left)));
    if (tried.size === 0) deps.telemetry.measure('serverless_kubelet.sweep.due', fresh.length, { node: node.key.node });
    if (fresh.length === 0) return;
    await Promise.all(
      fresh.map((one) =>
        limit(async () => {
          await reconcileDue(own, one, now);
          if (own.worked > 0) limit.concurrency = atOnce;
        }),
      ),
    );
  }
}

/** Who is to go frees what others wait for (rule 9 of docs/architecture.md), and a user waits for it. */
const isToGo = ({ row }: DuePod): boolean => row?.value.lastSeen === 'deleting';

const mayBeTried = (due: DuePod, tried: NodeSweep['tried'], nowMs: number): boolean => {
  const triedAt = tried.get(due.uid);
  return triedAt === undefined || (isToGo(due) && nowMs - triedAt >= tryAgainMs);
};

const isSilent = ({ timeOuts }: NodeSweep): boolean => timeOuts >= mostTimeOuts;

/** `listedAt`: when the due rows were listed, Table service's time. */
async function reconcileDue(own: NodeSweep, { uid, row }: DuePod, listedAt: number): Promise<void> {
  const { deps, node, signal } = own;
  if (signal.aborted || isSilent(own)) return;
  const startedAt = deps.clock.monotonicMs();
  if (row !== undefined && waitsForCount(row.value) && !own.isCounted) {
    own.uncounted.add(uid);
    return;
  }
  own.tried.set(uid, startedAt);
  if (row === undefined) {
    own.failed += 1;
    return;
  }
  const { namespace, name, dueAt } = row.value;
  if (dueAt !== undefined && dueAt <= listedAt)
    deps.telemetry.measure('serverless_kubelet.sweep.overdue', (listedAt - dueAt) / 1000, { node: node.key.node });
  const outcome = await traceReconcile(deps, node, { ref: { namespace, name, uid }, row }, signal);
  count(own, outcome, deps.clock.monotonicMs() - startedAt);
}

function count(own: NodeSweep, outcome: ReconcileOutcome, tookMs: number): void {
  if (outcome.kind === 'worked') own.worked += 1;
  if (outcome.kind === 'failed') own.failed += 1;
  const isTimeOut = outcome.kind === 'failed' && outcome.fault.kind === 'transient' && tookMs >= timeOutMs;
  own.timeOuts = isTimeOut ? own.timeOuts + 1 : 0;
}
