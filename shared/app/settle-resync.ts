import pLimit from 'p-limit';
import { describeFault } from '../core/fault.ts';
import { groupOwner } from '../core/group/identity.ts';
import type { ListedGroup } from '../core/group/group.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import { judgeOrphans } from '../core/reconcile/orphans.ts';
import type { OrphanVerdict, UnexplainedOrphan } from '../core/reconcile/orphans.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { ResyncPlan } from '../core/reconcile/resync-plan.ts';
import type { ResyncReason, ResyncScope } from '../core/reconcile/resync-scope.ts';
import type { Birth, Versioned } from '../ports/state-store.ts';
import type { ArmLists } from './arm-lists.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { markOrphan } from './make-due.ts';
import { readUsage } from './read-usage.ts';
import { updateNode } from './update-node.ts';

const atOnce = 8;
/** The ledger holds a year and what is needed to compare its first month: 400 days. */
const ledgerMs = 400 * 86_400_000;

/** What it is time for on one node, and what the tables know of it. */
export interface DueNode {
  readonly scope: ResyncScope;
  readonly reason: ResyncReason;
  readonly now: number;
  readonly row: NodeRow;
}

/** What a resync has seen of one node. */
export interface NodeSight {
  readonly node: NodeDeps;
  readonly due: DueNode;
  /** Of the tables that it was compared with: of others nothing was seen. */
  readonly birth: Birth;
  /** Undefined: the pods alone were polled. */
  readonly groups: readonly ListedGroup[] | undefined;
  readonly pods: readonly Pod[];
  readonly rows: readonly Versioned<PodRow>[];
  readonly plan: ResyncPlan;
  /** Whether all that is due is planned. */
  readonly isPlanned: boolean;
}

export type WholeSight = NodeSight & { readonly groups: readonly ListedGroup[] };

export const isWhole = (sight: NodeSight): sight is WholeSight => sight.groups !== undefined;

interface Settled {
  readonly known: ReadonlyMap<NodeDeps, DueNode>;
  readonly lists: ArmLists;
}

/**
 * Judges the orphans of all nodes of a cluster that were polled as a whole, and writes down that they were. Answers the
 * nodes on which some may go now.
 */
export async function settleResync(
  deps: Deps,
  sights: readonly WholeSight[],
  { known, lists }: Settled,
): Promise<ReadonlySet<string>> {
  const [first] = sights;
  if (first === undefined) return new Set();
  const { key, facts } = first.node;
  const looked = new Set(sights.map(({ node }) => node));
  const judge = (orphans: readonly UnexplainedOrphan[]): OrphanVerdict =>
    judgeOrphans({
      now: first.due.now,
      ownGroups: first.groups.filter(({ tags }) => {
        const owner = groupOwner(tags);
        return owner?.installation === facts.installation && owner.cluster === key.cluster;
      }).length,
      orphans,
      elsewhere: [...known].reduce(
        (sum, [node, { row }]) => (looked.has(node) ? sum : sum + Object.keys(row.orphans).length),
        0,
      ),
    });
  const reported = new Set(sights.flatMap(({ due }) => Object.keys(due.row.orphans)));
  const isNews = ({ held }: OrphanVerdict): boolean => held.some(({ group }) => !reported.has(group));
  const unexplained = sights.flatMap(({ plan }) => plan.unexplained);
  let verdict = judge(unexplained);
  if (isNews(verdict)) verdict = judge(await stillThere(unexplained, lists));
  if (isNews(verdict))
    deps.log.warn('orphan brake: many container groups have no pod and are kept for ten minutes', {
      cluster: key.cluster,
      orphans: verdict.held.length,
      first: verdict.held[0]?.group,
    });
  await Promise.all(sights.map((sight) => settleNode(deps, sight, { verdict, lists })));
  return new Set(verdict.released.map(({ owner }) => nodeKeyText({ cluster: owner.cluster, node: owner.node })));
}

/**
 * Pods that were being deleted while the lists were read are in the first and not in the second, and their rows may be
 * gone: so are their groups by now.
 */
async function stillThere(
  orphans: readonly UnexplainedOrphan[],
  lists: ArmLists,
): Promise<readonly UnexplainedOrphan[]> {
  const groups = await lists.groupsAgain();
  if (!groups.ok) return orphans;
  const names = new Set(groups.value.map(({ name }) => name));
  return orphans.filter(({ group }) => names.has(group));
}

async function settleNode(
  deps: Deps,
  { node, due, birth, groups, pods, rows, plan, isPlanned }: WholeSight,
  { verdict, lists }: { readonly verdict: OrphanVerdict; readonly lists: ArmLists },
): Promise<void> {
  const byUid = new Map(rows.map((row) => [row.value.uid, row]));
  const own = new Set(plan.unexplained);
  const held = verdict.held.filter((orphan) => own.has(orphan));
  const released = verdict.released.filter((orphan) => own.has(orphan));
  const limit = pLimit(atOnce);
  const mark = (state: 'held' | 'released') => (orphan: UnexplainedOrphan) =>
    limit(() => markOrphan(deps, node, { orphan, state, row: byUid.get(orphan.owner.uid), now: due.now }));
  const marked = await Promise.all([...held.map(mark('held')), ...released.map(mark('released'))]);
  if (!isPlanned || marked.some((result) => !result.ok)) return;
  const counted = {
    countedAt: due.now,
    orphans: Object.fromEntries(held.map(({ group, since }) => [group, since])),
  };
  // A count in between is no resync: what only this finds is not to wait for the next one any longer.
  const changes =
    due.reason === 'orphans'
      ? counted
      : {
          ...counted,
          resyncedAt: due.now,
          usage: await readUsage(node, { groups, pods, now: due.now }, lists),
          endingPods: plan.endingPods,
        };
  const saved = await updateNode(deps, node, () => changes, birth);
  if (!saved.ok)
    deps.log.warn('resync could not be written down', {
      node: nodeKeyText(node.key),
      fault: describeFault(saved.fault),
    });
  if (due.reason !== 'orphans') await pruneLedger(deps, node, due.now);
}

/** A hundred records at a time: no faster than they came. */
async function pruneLedger(deps: Deps, node: NodeDeps, now: number): Promise<void> {
  const pruned = await deps.store.pruneUsage(node.key, now - ledgerMs);
  if (!pruned.ok && pruned.fault.kind !== 'conflict')
    deps.log.warn('old records of the ledger could not be removed', {
      node: nodeKeyText(node.key),
      fault: describeFault(pruned.fault),
    });
}
