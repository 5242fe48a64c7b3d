import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupName, ownerOnNode } from '../core/group/identity.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';

export interface ContainerLogsRequest extends PodRef {
  readonly container: string;
  readonly tail?: number;
}

/**
 * What ACI keeps of one container's output, each line with its instant. The pod must be known on this node: by its row,
 * or by the tags of its group, so that a relay can't read another cluster's logs. Faults as of `ContainerGroups.listLogs`.
 */
export async function readContainerLogs(
  deps: Deps,
  node: NodeDeps,
  request: ContainerLogsRequest,
  signal: AbortSignal,
): Promise<Result<string>> {
  const group = groupName({ installation: node.facts.installation, ...request });
  const known = await isOnNode(deps, node, request, signal);
  if (!known.ok) return known;
  if (!known.value)
    return {
      ok: false,
      fault: {
        kind: 'not-found',
        code: 'PodNotFound',
        message: `pod ${request.namespace}/${request.name} has no container group on this node`,
      },
    };
  return deps.groups.listLogs(
    {
      group,
      container: request.container,
      timestamps: true,
      ...(request.tail === undefined ? {} : { tail: request.tail }),
    },
    signal,
  );
}

/** By namespace and name too: the group's own name has less of them than a path can say. */
async function isOnNode(deps: Deps, node: NodeDeps, pod: PodRef, signal: AbortSignal): Promise<Result<boolean>> {
  const isAsked = (found: PodRef | undefined): boolean =>
    found?.uid === pod.uid && found.namespace === pod.namespace && found.name === pod.name;
  const row = await deps.store.getPod(node.key, pod.uid);
  if (row.ok && row.value !== undefined) return ok(isAsked(row.value.value));
  const { installation } = node.facts;
  const group = await deps.groups.get(groupName({ installation, ...pod }), signal);
  if (!group.ok) return group;
  return ok(isAsked(ownerOnNode(group.value.tags, { installation, ...node.key })));
}
