import { ownerOnNode } from '../group/identity.ts';
import type { GroupOwner } from '../group/identity.ts';
import type { ListedGroup } from '../group/group.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { NodeKey } from '../node/node-key.ts';
import type { PodRow } from './pod-row.ts';
import { seenKey } from './work-needed.ts';

export interface ResyncInput {
  readonly node: NodeKey;
  readonly installation: string;
  readonly now: number;
  /** The complete ARM list, read first. */
  readonly groups: readonly ListedGroup[];
  /** The complete, consistent pod list of the node, read second. */
  readonly pods: readonly Pod[];
  readonly rows: readonly PodRow[];
  /** First sight of unexplained orphans, by group name. */
  readonly orphans: Readonly<Record<string, number>>;
}

export interface ResyncPlan {
  /** Pods without a row, rows without a pod, pods that changed unseen: due now. */
  readonly due: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];
  /** First sights to remember. */
  readonly orphans: Readonly<Record<string, number>>;
  /** True while too many unexplained orphans are held back: an alert. */
  readonly braked: boolean;
  readonly endingPods: number;
}

const orphanHoldMs = 600_000;

/**
 * What a complete look at the world makes due (DESIGN rule 4). It deletes nothing itself: an orphan becomes a row, and
 * the reconcile shows once more, for it alone, that its pod is absent.
 */
export function planResync(input: ResyncInput): ResyncPlan {
  const rows = new Map(input.rows.map((row) => [row.uid, row]));
  const pods = new Map(input.pods.map((pod) => [pod.metadata.uid, pod]));
  const changed = input.pods
    .filter((pod) => isUnseen(pod, rows.get(pod.metadata.uid)))
    .map((pod) => pick(pod.metadata));
  const gone = input.rows.filter((row) => !pods.has(row.uid)).map(pick);
  const orphans = unexplainedOrphans(input, rows, pods);
  const first = Object.fromEntries(orphans.map((orphan) => [orphan.group, input.orphans[orphan.group] ?? input.now]));
  const held = orphans.length > Math.max(5, input.groups.length / 5);
  const ready = orphans.filter((orphan) => !held || input.now - (first[orphan.group] ?? input.now) >= orphanHoldMs);
  return {
    due: [...changed, ...gone, ...ready.map((orphan) => pick(orphan.owner))],
    orphans: first,
    braked: ready.length < orphans.length,
    endingPods: input.pods.filter((pod) => pod.spec.restartPolicy !== 'Always' && !isTerminalPhase(pod.status.phase))
      .length,
  };
}

function isUnseen(pod: Pod, row: PodRow | undefined): boolean {
  if (row === undefined || row.seen !== seenKey(pod)) return true;
  return isTerminalPhase(pod.status.phase) && !row.settled && row.dueAt === undefined;
}

/** Groups of this node whose pod is not in the list, and of which no row tells why. */
function unexplainedOrphans(
  input: ResyncInput,
  rows: ReadonlyMap<string, PodRow>,
  pods: ReadonlyMap<string, Pod>,
): { readonly group: string; readonly owner: GroupOwner }[] {
  return input.groups.flatMap((group) => {
    const owner = ownerOnNode(group.tags, { installation: input.installation, ...input.node });
    return owner !== undefined && !pods.has(owner.uid) && !rows.has(owner.uid) ? [{ group: group.name, owner }] : [];
  });
}

const pick = (pod: { readonly namespace: string; readonly name: string; readonly uid: string }) => ({
  namespace: pod.namespace,
  name: pod.name,
  uid: pod.uid,
});
