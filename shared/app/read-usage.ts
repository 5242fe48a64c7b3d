import { describeFault } from '../core/fault.ts';
import { ownerOnNode } from '../core/group/identity.ts';
import type { ListedGroup } from '../core/group/group.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import type { NodeUsage } from '../core/reconcile/node-row.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { measureQuota } from './measure-node.ts';

/** The region's quota and this node's part of it. Undefined when ARM does not tell: the registered capacity stands. */
export async function readUsage(
  deps: Deps,
  node: NodeDeps,
  input: { readonly groups: readonly ListedGroup[]; readonly now: number },
  signal: AbortSignal,
): Promise<NodeUsage | undefined> {
  const usages = await deps.groups.listUsages(within(deps, signal, 10_000));
  if (!usages.ok) {
    deps.log.warn('quota could not be read; the registered capacity stands', {
      node: nodeKeyText(node.key),
      fault: describeFault(usages.fault),
    });
    return undefined;
  }
  measureQuota(deps, usages.value);
  const free = (name: string): number | undefined => {
    const usage = usages.value.find((one) => one.name === name);
    return usage === undefined ? undefined : Math.max(0, usage.limit - usage.current);
  };
  const coresFree = free('StandardCores');
  const groupsFree = free('ContainerGroups');
  if (coresFree === undefined || groupsFree === undefined) return undefined;
  const own = input.groups.filter((group) => ownerOnNode(group.tags, node.facts) !== undefined);
  return {
    readAt: input.now,
    coresFree,
    groupsFree,
    ownCores: own.reduce((total, group) => total + group.cpu, 0),
    ownGroups: own.length,
  };
}
