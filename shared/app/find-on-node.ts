import { fail, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupName, ownerOnNode } from '../core/group/identity.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';

/** What is known of a pod's group before anything is asked of its containers. */
export interface KnownGroup extends Pick<PodRow, 'intent' | 'keptLog' | 'agent'> {
  /** Of the group, where it had to be read. */
  readonly tags?: Readonly<Record<string, string>>;
}

export const groupGone = {
  kind: 'not-found',
  code: 'ContainerGroupGone',
  message: 'the container group is gone',
} as const;

/**
 * A pod that is known on this node: by its row, or by the tags of its group, so that a relay reaches nothing of another
 * cluster. By namespace and name too: the group's own name has less of them than a path can say. `not-found`: it is another's,
 * or nobody's.
 */
export async function findOnNode(
  deps: Deps,
  node: NodeDeps,
  pod: PodRef,
  signal: AbortSignal,
): Promise<Result<KnownGroup>> {
  const isAsked = (found: PodRef | undefined): boolean =>
    found?.uid === pod.uid && found.namespace === pod.namespace && found.name === pod.name;
  const unknown = fail({
    kind: 'not-found',
    code: 'PodNotFound',
    message: `pod ${pod.namespace}/${pod.name} has no container group on this node`,
  });
  const row = await deps.store.getPod(node.key, pod.uid);
  if (row.ok && row.value !== undefined) return isAsked(row.value.value) ? ok(row.value.value) : unknown;
  const { installation } = node.facts;
  const group = await deps.groups.get(groupName({ installation, ...pod }), signal);
  if (!group.ok) return group;
  const isOurs = isAsked(ownerOnNode(group.value.tags, { installation, ...node.key }));
  return isOurs
    ? ok({ intent: { kind: 'none' }, keptLog: undefined, agent: undefined, tags: group.value.tags })
    : unknown;
}
