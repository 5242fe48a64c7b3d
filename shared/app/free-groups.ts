import { describeFault } from '../core/fault.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { planFreeing } from '../core/reconcile/free-plan.ts';
import type { StateStore, Versioned } from '../ports/state-store.ts';
import type { Deps, NodeDeps } from './deps.ts';

/** A burst of refusals is one: at most one poll over the rows in this time, by each process. It only ever costs requests. */
const oftenMs = 2_000;

/** When it was looked, by the process's store, so that nothing is shared where a test has several processes. */
const polledAt = new WeakMap<StateStore, number>();

/**
 * ARM has refused a group for want of quota: groups of ended pods are marked to go, and are due. The quota is that of
 * all nodes of all clusters, so the rows of each are polled: one request for each thousand. What a crash cuts off, or
 * somebody else has written meanwhile, the next refusal marks.
 */
export async function freeGroups(deps: Deps, uid: string): Promise<void> {
  const at = deps.clock.monotonicMs();
  if (at - (polledAt.get(deps.store) ?? -Infinity) < oftenMs) return;
  polledAt.set(deps.store, at);
  const now = await deps.store.now();
  if (!now.ok) return;
  const nodes = [...deps.clusters.values()].flatMap((cluster) => [...cluster.nodes.values()]);
  const rows = (await Promise.all(nodes.map((node) => rowsOf(deps, node)))).flat();
  const chosen = planFreeing(rows, { uid, now: now.value });
  await Promise.all(
    chosen.map(async ({ node, value, etag }) => {
      const marked: PodRow = { ...value, freeing: true, dueAt: now.value };
      const saved = await deps.store.upsertPod(node.key, marked, { previous: { value, etag } });
      if (saved.ok) deps.log.info('container group of an ended pod makes room', { group: value.group, uid: value.uid });
    }),
  );
}

async function rowsOf(
  deps: Deps,
  node: NodeDeps,
): Promise<readonly (Versioned<PodRow> & { readonly node: NodeDeps })[]> {
  const rows = await deps.store.listPods(node.key);
  if (rows.ok) return rows.value.map((row) => ({ ...row, node }));
  deps.log.warn('rows could not be read to make room', { node: node.key.node, fault: describeFault(rows.fault) });
  return [];
}
