import type { ListedGroup } from '../core/group/group.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { groupShares } from '../core/node/group-shares.ts';
import type { NodeUsage } from '../core/reconcile/node-row.ts';
import type { ArmLists } from './arm-lists.ts';
import type { NodeDeps } from './deps.ts';

/** The region's quota and this node's part of it. Undefined when ARM does not say: the registered capacity is used. */
export async function readUsage(
  node: NodeDeps,
  input: { readonly groups: readonly ListedGroup[]; readonly pods: readonly Pod[]; readonly now: number },
  lists: ArmLists,
): Promise<NodeUsage | undefined> {
  const usages = await lists.usages();
  if (!usages.ok) return undefined;
  const free = (name: string): number | undefined => {
    const usage = usages.value.find((one) => one.name === name);
    return usage === undefined ? undefined : Math.max(0, usage.limit - usage.current);
  };
  const coresFree = free('StandardCores');
  const groupsFree = free('ContainerGroups');
  if (coresFree === undefined || groupsFree === undefined) return undefined;
  const { own, ended } = groupShares(input.groups, input.pods, node.facts);
  return {
    readAt: input.now,
    coresFree,
    groupsFree,
    ownCores: own.cores,
    ownGroups: own.groups,
    endedCores: ended.cores,
    endedGroups: ended.groups,
  };
}
