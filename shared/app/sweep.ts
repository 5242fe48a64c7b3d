import pLimit from 'p-limit';
import { describeFault } from '../core/fault.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { Deps, NodeDeps } from './deps.ts';
import type { ReconcileOutcome } from './reconcile-pod.ts';
import { resync } from './resync.ts';
import { cordonDraining, retireNode } from './retire-node.ts';
import { traceReconcile } from './trace-reconcile.ts';

const atOnce = 8;
const dueAtOnce = 200;

/** What one run over the due pods did. */
export interface SweepReport {
  readonly worked: number;
  readonly failed: number;
}

/**
 * One run over the due pods of some nodes: resync where it is time, then reconcile what is due, oldest first, until
 * nothing is due or `signal` says that the invocation ends. What is left stays due.
 */
export async function sweep(
  deps: Deps,
  nodes: readonly NodeDeps[],
  options: { readonly resync: boolean },
  signal: AbortSignal,
): Promise<SweepReport> {
  const startedAt = deps.clock.monotonicMs();
  await resync(deps, nodes, { force: options.resync }, signal);
  const reports = await Promise.all(nodes.map((node) => sweepNode(deps, node, signal)));
  await Promise.all(nodes.map((node) => leaveCluster(deps, node, signal)));
  const [worked, failed] = [sum(reports.map((one) => one.worked)), sum(reports.map((one) => one.failed))];
  if (worked + failed > 0)
    deps.telemetry.measure('serverless_kubelet.sweep.duration', (deps.clock.monotonicMs() - startedAt) / 1000, {});
  return { worked, failed };
}

function leaveCluster(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<void> {
  switch (node.registration.state) {
    case 'active':
      return Promise.resolve();
    case 'draining':
      return cordonDraining(deps, node, signal);
    case 'removed':
      return retireNode(deps, node, signal);
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

async function sweepNode(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<SweepReport> {
  const limit = pLimit(atOnce);
  const tried = new Set<string>();
  const report = { worked: 0, failed: 0 };
  while (!signal.aborted) {
    const time = await deps.store.now();
    const now = time.ok ? time.value : 0;
    const due = time.ok ? await deps.store.listDue(node.key, now, dueAtOnce) : time;
    if (!due.ok) {
      deps.log.warn('due rows could not be read', { node: nodeKeyText(node.key), fault: describeFault(due.fault) });
      return report;
    }
    // A pod is tried once a run: what is due again at once is the next run's.
    const fresh = due.value.filter((uid) => !tried.has(uid));
    if (tried.size === 0) deps.telemetry.measure('serverless_kubelet.sweep.due', fresh.length, { node: node.key.node });
    if (fresh.length === 0) return report;
    await Promise.all(
      fresh.map((uid) =>
        limit(async () => count(report, await reconcileDue(deps, node, { uid, listedAt: now }, signal))),
      ),
    );
    for (const uid of fresh) tried.add(uid);
  }
  return report;
}

interface Due {
  readonly uid: string;
  /** When the due rows were listed, Table service's time. */
  readonly listedAt: number;
}

async function reconcileDue(
  deps: Deps,
  node: NodeDeps,
  { uid, listedAt }: Due,
  signal: AbortSignal,
): Promise<ReconcileOutcome> {
  if (signal.aborted) return { kind: 'nothing' };
  const row = await deps.store.getPod(node.key, uid);
  if (!row.ok) return { kind: 'failed', fault: row.fault, planned: false };
  if (row.value === undefined) return { kind: 'nothing' };
  const { namespace, name, dueAt } = row.value.value;
  if (dueAt !== undefined && dueAt <= listedAt)
    deps.telemetry.measure('serverless_kubelet.sweep.overdue', (listedAt - dueAt) / 1000, { node: node.key.node });
  return traceReconcile(deps, node, { ref: { namespace, name, uid } }, signal);
}

function count(report: { worked: number; failed: number }, outcome: ReconcileOutcome): void {
  if (outcome.kind === 'failed') report.failed += 1;
  else if (outcome.kind === 'worked') report.worked += 1;
}
