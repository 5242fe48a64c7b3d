import { describeFault } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupOwner } from '../core/group/identity.ts';
import type { ListedGroup } from '../core/group/group.ts';
import type { Usage } from '../ports/container-groups.ts';
import { within } from './deps.ts';
import type { Deps } from './deps.ts';
import { measureQuota } from './measure-node.ts';

const listGroupsMs = 15_000;

/** What all resyncs of one run share of ARM, read for whoever asks first. */
export interface ArmLists {
  /** The complete list. Read it before the pods: only a group of it may be an orphan. */
  readonly groups: () => Promise<Result<readonly ListedGroup[]>>;
  /** The list as it is now, for who doubts the first. */
  readonly groupsAgain: () => Promise<Result<readonly ListedGroup[]>>;
  readonly usages: () => Promise<Result<readonly Usage[]>>;
}

/** `signal`: that of the run, since no cluster's own deadline may end what the others wait for. */
export function armLists(deps: Deps, signal: AbortSignal): ArmLists {
  let groups: Promise<Result<readonly ListedGroup[]>> | undefined;
  let usages: Promise<Result<readonly Usage[]>> | undefined;
  return {
    groups: () => (groups ??= listGroups(deps, signal)),
    groupsAgain: () => deps.groups.list(within(deps, signal, listGroupsMs)),
    usages: () => (usages ??= listUsages(deps, signal)),
  };
}

async function listGroups(deps: Deps, signal: AbortSignal): Promise<Result<readonly ListedGroup[]>> {
  const groups = await deps.groups.list(within(deps, signal, listGroupsMs));
  if (groups.ok) warnOfUnmanaged(deps, groups.value);
  else deps.log.warn('container groups could not be listed', { fault: describeFault(groups.fault) });
  return groups;
}

async function listUsages(deps: Deps, signal: AbortSignal): Promise<Result<readonly Usage[]>> {
  const usages = await deps.groups.listUsages(within(deps, signal, 10_000));
  if (usages.ok) measureQuota(deps, usages.value);
  else
    deps.log.warn('quota could not be read; the registered capacity is used', { fault: describeFault(usages.fault) });
  return usages;
}

/** Groups of clusters or nodes that are not registered (any more) are reported, cluster by cluster, and go only by an explicit command. */
function warnOfUnmanaged(deps: Deps, groups: readonly ListedGroup[]): void {
  const unmanaged = groups.flatMap((group) => {
    const owner = groupOwner(group.tags);
    const isUnmanaged =
      owner?.installation === deps.settings.INSTALLATION &&
      deps.clusters.get(owner.cluster)?.nodes.get(owner.node) === undefined;
    return isUnmanaged ? [{ cluster: owner.cluster, name: group.name }] : [];
  });
  deps.telemetry.measure('serverless_kubelet.unknown_groups', unmanaged.length, {});
  for (const [cluster, ofCluster] of Map.groupBy(unmanaged, (group) => group.cluster))
    deps.log.warn('container groups of unknown clusters or nodes exist', {
      cluster,
      groups: ofCluster.length,
      first: ofCluster[0]?.name,
    });
}
