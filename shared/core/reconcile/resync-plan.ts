import { ownerOnNode } from '../group/identity.ts';
import type { ListedGroup } from '../group/group.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { NodeKey } from '../node/node-key.ts';
import { isExplained, waitsForCount } from './orphans.ts';
import type { UnexplainedOrphan } from './orphans.ts';
import type { PodRow } from './pod-row.ts';
import { seenKey } from './work-needed.ts';

export interface ResyncInput {
  readonly node: NodeKey;
  readonly installation: string;
  readonly now: number;
  /** The complete ARM list, read first; undefined: it was not, and nothing is said of orphans. */
  readonly groups: readonly ListedGroup[] | undefined;
  /** The complete, consistent pod list of the node, read second. */
  readonly pods: readonly Pod[];
  readonly rows: readonly PodRow[];
  /** First sight of unexplained orphans, by group name. */
  readonly orphans: Readonly<Record<string, number>>;
}

export interface ResyncPlan {
  /** Pods without a row, rows without a pod, pods that changed unseen: due now. */
  readonly due: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];
  /** Groups whose pod is gone unexplained: to be judged with those of the cluster's other nodes. */
  readonly unexplained: readonly UnexplainedOrphan[];
  readonly endingPods: number;
}

/**
 * What a complete look at one node makes due. It deletes nothing itself: an orphan becomes a row, and the reconcile shows
 * once more, for it alone, that its pod is absent.
 */
export function planResync(input: ResyncInput): ResyncPlan {
  const rows = new Map(input.rows.map((row) => [row.uid, row]));
  const pods = new Map(input.pods.map((pod) => [pod.metadata.uid, pod]));
  const changed = input.pods
    .filter((pod) => isUnseen(pod, rows.get(pod.metadata.uid)))
    .map((pod) => pick(pod.metadata));
  const unexplained = unexplainedOrphans(input, rows, pods);
  const counted = new Set(unexplained.map(({ owner }) => owner.uid));
  const waits = (row: PodRow): boolean => counted.has(row.uid) || (input.groups === undefined && waitsForCount(row));
  const gone = input.rows.filter((row) => !pods.has(row.uid) && !waits(row)).map(pick);
  return {
    due: [...changed, ...gone],
    unexplained,
    endingPods: input.pods.filter((pod) => pod.spec.restartPolicy !== 'Always' && !isTerminalPhase(pod.status.phase))
      .length,
  };
}

function isUnseen(pod: Pod, row: PodRow | undefined): boolean {
  if (row === undefined || row.seen !== seenKey(pod)) return true;
  return isTerminalPhase(pod.status.phase) && !row.settled && row.dueAt === undefined;
}

/** Groups of this node whose pod is not in the list, and of which no row says why. */
function unexplainedOrphans(
  input: ResyncInput,
  rows: ReadonlyMap<string, PodRow>,
  pods: ReadonlyMap<string, Pod>,
): readonly UnexplainedOrphan[] {
  return (input.groups ?? []).flatMap((group) => {
    const owner = ownerOnNode(group.tags, { installation: input.installation, ...input.node });
    if (owner === undefined || pods.has(owner.uid)) return [];
    const row = rows.get(owner.uid);
    if (row !== undefined && isExplained(row)) return [];
    const since = Math.min(row?.orphan?.since ?? input.now, input.orphans[group.name] ?? input.now);
    return [{ group: group.name, owner, since }];
  });
}

const pick = (pod: { readonly namespace: string; readonly name: string; readonly uid: string }) => ({
  namespace: pod.namespace,
  name: pod.name,
  uid: pod.uid,
});
