import type { Fault } from '../core/fault.ts';
import type { KubeNode } from '../core/kubernetes/node.ts';
import { nodeDrift } from '../core/node/node-drift.ts';
import type { NodeRepair } from '../core/node/node-drift.ts';
import { askNode } from './ask-node.ts';
import type { NodeAnswer } from './ask-node.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { nodeSpec } from './node-spec.ts';

/**
 * Gives a Node back what it lost or gained against its registration (`nodeDrift`), under the app's own right, because a
 * node may change neither its taints nor its cordon. What is refused is reported and held back; a fault that passes, or a
 * change of somebody else in between, is left to the next beat.
 */
export async function repairDrift(
  deps: Deps,
  node: NodeDeps,
  found: KubeNode,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  if (nodeDrift(found, nodeSpec(node), node.registration.state).kind === 'none') return undefined;
  // This process may not have heard yet of a change that another one has already brought to the Node.
  const registered = await deps.confirmNode(node.key);
  if (!registered.ok) return registered.fault;
  const drift = nodeDrift(found, nodeSpec(node, registered.value), registered.value.state);
  if (drift.kind !== 'drifted') return undefined;
  let actual = found;
  for (const repair of drift.repairs) {
    const answer = await repairNode(deps, node, { actual, repair }, signal);
    if (answer.kind === 'failed') return isPassed(answer.fault) ? undefined : answer.fault;
    if (answer.kind === 'done') actual = answer.value;
  }
  return undefined;
}

/** Changed or gone since it was read: the next poll decides anew. */
const isPassed = ({ kind }: Fault): boolean => kind === 'conflict' || kind === 'not-found';

/** One part of it. `actual` is the Node as it was last read: any change since is a conflict. */
export function repairNode(
  deps: Deps,
  node: NodeDeps,
  { actual, repair }: { readonly actual: KubeNode; readonly repair: NodeRepair },
  signal: AbortSignal,
): Promise<NodeAnswer<KubeNode>> {
  const { part, what, change } = repair;
  const send = (sending: AbortSignal) => node.cluster.api.patchNode(actual, change, sending);
  return askNode(deps, node, { part, what, reason: 'FailedToUpdateNode', content: change, send }, signal);
}
