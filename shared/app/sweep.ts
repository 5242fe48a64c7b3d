import { nodeKeyText } from '../core/node/node-key.ts';
import { armLists } from './arm-lists.ts';
import type { ArmLists } from './arm-lists.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { resyncCluster } from './resync.ts';
import type { Resync } from './resync.ts';
import { cordonDraining, retireNode } from './retire-node.ts';
import { sweepDue } from './sweep-due.ts';
import type { NodeSweep } from './sweep-due.ts';

/** Of one cluster: the ARM list, its pod lists and what they make due. */
const resyncMs = 30_000;
/** So long the due pods of a node wait for the lists: a resync takes less, where all answer. */
const resyncPatienceMs = 2_000;
/** Of one node: the next step out of its cluster. */
const leaveMs = 15_000;

/** What one run over the due pods did. */
export interface SweepReport {
  readonly worked: number;
  readonly failed: number;
}

/**
 * One run over the due pods of some nodes: reconcile what is due, oldest first, and resync where it is time, until nothing
 * is due or `signal` says that the invocation ends. What is left stays due. Clusters, and the nodes of a cluster, are
 * worked on beside each other: one whose API server answers nothing costs the others nothing.
 */
export async function sweep(
  deps: Deps,
  nodes: readonly NodeDeps[],
  options: { readonly resync: boolean },
  signal: AbortSignal,
): Promise<SweepReport> {
  const startedAt = deps.clock.monotonicMs();
  const lists = armLists(deps, signal);
  const clusters = [...Map.groupBy(nodes, ({ key }) => key.cluster).values()];
  const reports = await Promise.all(
    clusters.map((own) => sweepCluster(deps, own, { isForced: options.resync, lists }, signal)),
  );
  const [worked, failed] = [sum(reports.map((one) => one.worked)), sum(reports.map((one) => one.failed))];
  if (worked + failed > 0)
    deps.telemetry.measure('serverless_kubelet.sweep.duration', (deps.clock.monotonicMs() - startedAt) / 1000, {});
  return { worked, failed };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

async function sweepCluster(
  deps: Deps,
  nodes: readonly NodeDeps[],
  { isForced, lists }: { readonly isForced: boolean; readonly lists: ArmLists },
  signal: AbortSignal,
): Promise<SweepReport> {
  const start = (reason: 'time' | 'relay' | 'orphans'): Resync =>
    resyncCluster(deps, nodes, { reason, lists }, within(deps, signal, resyncMs));
  const resync = start(isForced ? 'relay' : 'time');
  let counting: Resync['finished'] | undefined;
  const count = (): Resync['finished'] => (counting ??= start('orphans').finished);
  const sweeps = nodes.map((node): NodeSweep => newNodeSweep(deps, node, signal));
  await Promise.all([resync.finished, ...sweeps.map((own) => sweepNode(own, resync, count))]);
  return { worked: sum(sweeps.map((one) => one.worked)), failed: sum(sweeps.map((one) => one.failed)) };
}

const newNodeSweep = (deps: Deps, node: NodeDeps, signal: AbortSignal): NodeSweep => ({
  deps,
  node,
  signal,
  tried: new Map(),
  uncounted: new Set(),
  isCounted: false,
  worked: 0,
  failed: 0,
  timeOuts: 0,
});

/**
 * What the lists make due is swept with what is due already, as long as they come soon. Otherwise this goes first, and that
 * when they have come; last the orphans that were let go.
 */
async function sweepNode(own: NodeSweep, resync: Resync, count: () => Resync['finished']): Promise<void> {
  const name = nodeKeyText(own.node.key);
  const isResynced = await isDoneSoon(own.deps, resync.finished);
  await sweepDue(own);
  if (!isResynced && (await resync.listed(own.node))) await sweepDue(own);
  const released = await resync.finished;
  const waiting = own.uncounted.size;
  if (waiting > 0) await count();
  own.isCounted = true;
  if (waiting > 0 || (!isResynced && released.has(name))) await sweepDue(own);
  await leaveCluster(own);
}

async function isDoneSoon(deps: Deps, promise: Promise<unknown>): Promise<boolean> {
  const patience = deps.clock.timeout(resyncPatienceMs);
  const isOver = new Promise<boolean>((resolve) =>
    patience.addEventListener('abort', () => resolve(false), { once: true }),
  );
  return Promise.race([promise.then(() => true), isOver]);
}

function leaveCluster({ deps, node, signal }: NodeSweep): Promise<void> {
  switch (node.registration.state) {
    case 'active':
      return Promise.resolve();
    case 'draining':
      return cordonDraining(deps, node, within(deps, signal, leaveMs));
    case 'removed':
      return retireNode(deps, node, within(deps, signal, leaveMs));
  }
}
