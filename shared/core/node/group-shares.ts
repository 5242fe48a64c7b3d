import { ownerOnNode } from '../group/identity.ts';
import type { GroupOwner } from '../group/identity.ts';
import type { ListedGroup } from '../group/group.ts';
import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';

/** So many groups, and the cores that were asked for them. */
export interface GroupShare {
  readonly groups: number;
  readonly cores: number;
}

/** A node's groups by what has become of their pods. */
export interface GroupShares {
  /** Of pods that have not ended: the scheduler counts them against what the node offers. */
  readonly own: GroupShare;
  /** Of pods whose phase is Succeeded or Failed: the scheduler counts them no more, ARM still does. */
  readonly ended: GroupShare;
  /** Of pods that are not in the list. */
  readonly orphaned: GroupShare;
}

/** Sorts the groups of one node by its pods, both complete lists; groups of others are left out. */
export function groupShares(
  groups: readonly ListedGroup[],
  pods: readonly Pod[],
  home: Pick<GroupOwner, 'installation' | 'cluster' | 'node'>,
): GroupShares {
  const phases = new Map(pods.map((pod) => [pod.metadata.uid, pod.status.phase]));
  const sorted = Map.groupBy(groups, (group): keyof GroupShares | 'foreign' => {
    const owner = ownerOnNode(group.tags, home);
    if (owner === undefined) return 'foreign';
    const phase = phases.get(owner.uid);
    if (phase === undefined) return 'orphaned';
    return isTerminalPhase(phase) ? 'ended' : 'own';
  });
  const share = (some: readonly ListedGroup[] = []): GroupShare => ({
    groups: some.length,
    cores: some.reduce((total, group) => total + group.cpu, 0),
  });
  return { own: share(sorted.get('own')), ended: share(sorted.get('ended')), orphaned: share(sorted.get('orphaned')) };
}
