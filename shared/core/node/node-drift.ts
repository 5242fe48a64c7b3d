import type { KubeNode } from '../kubernetes/node.ts';
import { ownerAnnotation } from './node-spec.ts';
import type { NodeSpec } from './node-spec.ts';
import { nodeLabels, providerTaint } from './node-status.ts';

/** How the Node object differs from what it is to be, status aside. */
export type NodeDrift =
  | { readonly kind: 'none' }
  /** Not ours: nothing of it may be written, and a person must hear of it. */
  | { readonly kind: 'foreign-owner'; readonly owner: string | undefined; readonly message: string }
  /** `labels` are to be set; a taint can only be changed by deleting the Node (NodeRestriction). */
  | {
      readonly kind: 'drifted';
      readonly labels: Readonly<Record<string, string>>;
      readonly taint: 'missing' | 'unwanted' | 'right';
    };

export function nodeDrift(actual: KubeNode, spec: NodeSpec): NodeDrift {
  const owner = actual.metadata.annotations[ownerAnnotation];
  if (owner !== spec.installation) return { kind: 'foreign-owner', owner, message: foreignMessage(owner, spec) };
  const labels = Object.fromEntries(
    Object.entries(nodeLabels(spec)).filter(([key, value]) => actual.metadata.labels[key] !== value),
  );
  const isTainted = actual.taints.some(
    ({ key, value, effect }) =>
      key === providerTaint.key && value === providerTaint.value && effect === providerTaint.effect,
  );
  const taint = isTainted === spec.taint ? 'right' : spec.taint ? 'missing' : 'unwanted';
  return Object.keys(labels).length === 0 && taint === 'right' ? { kind: 'none' } : { kind: 'drifted', labels, taint };
}

function foreignMessage(owner: string | undefined, spec: NodeSpec): string {
  const whose = owner === undefined ? 'has no owner annotation' : `belongs to installation "${owner}"`;
  return `Node "${spec.name}" ${whose}, not to "${spec.installation}": rename the node in the registration, or delete that Node (annotation ${ownerAnnotation}).`;
}
