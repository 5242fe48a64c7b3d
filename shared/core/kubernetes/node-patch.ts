import type { JsonObject } from '../json.ts';
import type { KubeNode, NodeChange } from './node.ts';
import { defined } from '../defined.ts';

/**
 * The strategic merge patch of a Node that makes `change` of it as it was read: `metadata.uid` and
 * `metadata.resourceVersion` are preconditions. Labels and annotations merge, `spec.taints` is an atomic list.
 */
export function buildNodePatch({ metadata }: Pick<KubeNode, 'metadata'>, change: NodeChange): JsonObject {
  const { labels, annotations, taints, unschedulable } = change;
  const spec = {
    ...(taints === undefined ? {} : { taints: taints.map((taint) => ({ ...taint })) }),
    ...defined({ unschedulable }),
  };
  return {
    metadata: {
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      ...defined({ labels, annotations }),
    },
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
  };
}
