import { defined } from '../core/defined.ts';
import pLimit from 'p-limit';
import { describeFault, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { newNodeRow } from '../core/reconcile/node-row.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { planResync } from '../core/reconcile/resync-plan.ts';
import { resyncScopes } from '../core/reconcile/resync-scope.ts';
import type { ResyncReason } from '../core/reconcile/resync-scope.ts';
import type { Birth, Versioned } from '../ports/state-store.ts';
import type { ArmLists } from './arm-lists.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { makeDue } from './make-due.ts';
import { measureNode } from './measure-node.ts';
import { isWhole, settleResync } from './settle-resync.ts';
import type { DueNode, NodeSight } from './settle-resync.ts';

const atOnce = 8;

/** One cluster's resync under way. */
export interface Resync {
  /** Whether a node's own lists made pods due. Waits for no other node. */
  readonly listed: (node: NodeDeps) => Promise<boolean>;
  /** When the cluster's orphans have been judged too: the nodes on which some may go now. */
  readonly finished: Promise<ReadonlySet<string>>;
}

/**
 * Compares the nodes of one cluster with the API server and with ARM, and makes due what does not match. Every five
 * minutes, or when `reason` asks for it, the whole: the ARM list first, the pod lists second, since only a group of the
 * first may be an orphan; orphans are judged over the cluster. In between, and only while the relay is silent, the pods
 * alone, so that new ones still start. An incomplete list has no effect.
 */
export function resyncCluster(
  deps: Deps,
  nodes: readonly NodeDeps[],
  { reason, lists }: { readonly reason: ResyncReason; readonly lists: ArmLists },
  signal: AbortSignal,
): Resync {
  const known = readNodes(deps, nodes, reason);
  const sights = new Map(
    nodes.map((node) => [node, known.then((all) => resyncNode(deps, node, { due: all.get(node), lists }, signal))]),
  );
  return {
    listed: async (node) => ((await sights.get(node))?.plan.due.length ?? 0) > 0,
    finished: Promise.all(sights.values()).then(async (all) => {
      const whole = all.filter((sight) => sight !== undefined).filter(isWhole);
      return settleResync(deps, whole, { known: await known, lists });
    }),
  };
}

/** What the tables know of each node, and what it is time for; nodes of which nobody knows are left out. */
async function readNodes(
  deps: Deps,
  nodes: readonly NodeDeps[],
  reason: ResyncReason,
): Promise<ReadonlyMap<NodeDeps, DueNode>> {
  const now = await deps.store.now();
  const read = await Promise.all(nodes.map(async (node) => ({ node, row: await deps.store.getNode(node.key) })));
  if (!now.ok) return new Map();
  const rows = read.flatMap(({ node, row }) => (row.ok ? [{ node, row: row.value?.value ?? newNodeRow() }] : []));
  const readAtMs = deps.clock.monotonicMs();
  for (const { node, row } of rows) {
    const { endingPods, earliestStartMs } = row;
    const key = nodeKeyText(node.key);
    const known = deps.nodeHints.get(key);
    // The row hears of the relay once in a while.
    const heard = Math.max(row.relayHeardAt ?? 0, known?.relayHeardAt ?? 0);
    deps.nodeHints.set(key, {
      endingPods,
      earliestStartMs,
      relayHeardAt: heard === 0 ? undefined : heard,
      readAtMs,
      ...defined({ recordedAtMs: known?.recordedAtMs }),
    });
  }
  const scopes = resyncScopes(
    rows.map(({ row }) => row),
    reason,
    now.value,
  );
  return new Map(
    rows.map(({ node, row }, index) => [node, { scope: scopes[index] ?? 'none', reason, now: now.value, row }]),
  );
}

async function resyncNode(
  deps: Deps,
  node: NodeDeps,
  { due, lists }: { readonly due: DueNode | undefined; readonly lists: ArmLists },
  signal: AbortSignal,
): Promise<NodeSight | undefined> {
  if (due === undefined || due.scope === 'none') return undefined;
  const listedGroups = due.scope === 'whole' ? await lists.groups() : undefined;
  const groups = listedGroups?.ok === true ? listedGroups.value : undefined;
  const listed = await listPods(deps, node, signal);
  if (!listed.ok) {
    deps.log.warn('node could not be resynced', { node: nodeKeyText(node.key), fault: describeFault(listed.fault) });
    return undefined;
  }
  const { birth, pods, rows } = listed.value;
  const plan = planResync({
    node: node.key,
    installation: node.facts.installation,
    now: due.now,
    groups,
    pods,
    rows: rows.map((row) => row.value),
    orphans: due.row.orphans,
  });
  const { resyncedAt } = due.row;
  measureNode(deps, node, {
    pods,
    groups,
    orphans: plan.unexplained.length,
    sinceMs: resyncedAt === undefined || due.reason === 'orphans' ? undefined : due.now - resyncedAt,
  });
  const limit = pLimit(atOnce);
  const planned = await Promise.all(plan.due.map((ref) => limit(() => makeDue(deps, node, ref))));
  return { node, due, birth, groups, pods, rows, plan, isPlanned: planned.every((result) => result.ok) };
}

interface Listed {
  readonly birth: Birth;
  readonly pods: readonly Pod[];
  readonly rows: readonly Versioned<PodRow>[];
}

/** The API server's pods, and then the rows. */
async function listPods(deps: Deps, node: NodeDeps, signal: AbortSignal): Promise<Result<Listed>> {
  // New tables count their first minute from now, not from the first pod, which would have to wait it out.
  const birth = await deps.store.getBirth(node.key);
  if (!birth.ok) return birth;
  const pods = await node.api.listPods(within(deps, signal, 15_000));
  if (!pods.ok) return pods;
  const rows = await deps.store.listPods(node.key);
  return rows.ok ? ok({ birth: birth.value, pods: pods.value, rows: rows.value }) : rows;
}
