import type { KubeNode, NodeChange, Taint } from '../kubernetes/node.ts';
import type { NodePart } from './node-refusal.ts';
import { ownerAnnotation } from './node-spec.ts';
import type { NodeSpec, NodeState } from './node-spec.ts';
import { ownLabels, providerTaint, registeredLabels } from './node-status.ts';

/** How the Node object differs from what it is to be, status aside, and what fixes it. */
export type NodeDrift =
  | { readonly kind: 'none' }
  /** Not ours: nothing of it may be written, and a person must hear of it. */
  | { readonly kind: 'foreign-owner'; readonly owner: string | undefined; readonly message: string }
  /** In the order of their weight, and apart: one that the API server refuses holds up no other. */
  | { readonly kind: 'drifted'; readonly repairs: readonly NodeRepair[] };

export interface NodeRepair {
  readonly part: Exclude<NodePart, 'node'>;
  /** Ends a sentence that begins "The API server refuses to …". */
  readonly what: string;
  readonly change: NodeChange;
}

/** On a Node that the app cordoned: only such a one may it uncordon. The value is the state that it did so for. */
export const cordonAnnotation = 'serverless-kubelet.io/cordoned';

/**
 * What a Node lost or gained against its registration. Labels that differ or are missing are set; those that neither
 * registration nor app know are left alone, and so is one that was taken out of the registration: as with a kubelet,
 * nobody knows whose it is. Of the taints only the provider's is ours.
 */
export function nodeDrift(actual: KubeNode, spec: NodeSpec, state: NodeState): NodeDrift {
  const owner = foreignOwner(actual, spec.installation);
  if (owner !== undefined) return { kind: 'foreign-owner', ...owner };
  const repairs = [
    labelRepair('own-labels', actual, ownLabels(spec)),
    taintRepair(actual, spec.taint),
    cordonRepair(actual, state),
    labelRepair('registered-labels', actual, registeredLabels(spec)),
  ].filter((repair) => repair !== undefined);
  return repairs.length === 0 ? { kind: 'none' } : { kind: 'drifted', repairs };
}

/** Whose a Node is when it is not this installation's; undefined when it is. */
export function foreignOwner(
  actual: KubeNode,
  installation: string,
): { readonly owner: string | undefined; readonly message: string } | undefined {
  const owner = actual.metadata.annotations[ownerAnnotation];
  if (owner === installation) return undefined;
  const whose = owner === undefined ? 'has no owner annotation' : `belongs to installation "${owner}"`;
  const message = `Node "${actual.metadata.name}" ${whose}, not to "${installation}": rename the node in the registration, or delete that Node (annotation ${ownerAnnotation}).`;
  return { owner, message };
}

/**
 * A node that leaves is cordoned, with a note of whose cordon it is in the same patch; an active one is uncordoned where
 * that note is there. What an operator cordoned has none and stays; a note whose cordon an operator took back goes.
 */
export function cordonRepair(actual: KubeNode, state: NodeState): NodeRepair | undefined {
  const { unschedulable } = actual;
  const isOurs = actual.metadata.annotations[cordonAnnotation] !== undefined;
  switch (state) {
    case 'active': {
      if (!isOurs) return undefined;
      const annotations = { [cordonAnnotation]: null };
      const change = unschedulable ? { annotations, unschedulable: false } : { annotations };
      return { part: 'cordon', what: 'uncordon this Node', change };
    }
    case 'draining':
    case 'removed': {
      if (unschedulable) return undefined;
      const change = { annotations: { [cordonAnnotation]: state }, unschedulable: true };
      return { part: 'cordon', what: 'cordon this Node', change };
    }
  }
}

function labelRepair(
  part: 'own-labels' | 'registered-labels',
  actual: KubeNode,
  wanted: Readonly<Record<string, string>>,
): NodeRepair | undefined {
  const labels = Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => actual.metadata.labels[key] !== value),
  );
  const keys = Object.keys(labels);
  if (keys.length === 0) return undefined;
  const whose = part === 'registered-labels' ? ' of its registration' : '';
  return { part, what: `set on this Node the labels ${keys.join(', ')}${whose}`, change: { labels } };
}

/** Taints of other owners are kept as they are; one of our key and effect with another value makes room for ours. */
function taintRepair({ taints }: KubeNode, isWanted: boolean): NodeRepair | undefined {
  if (taints.some(isProviderTaint) === isWanted) return undefined;
  const { key, value, effect } = providerTaint;
  const text = `${key}=${value}:${effect}`;
  if (!isWanted) {
    const change = { taints: taints.filter((taint) => !isProviderTaint(taint)) };
    return { part: 'taint', what: `remove from this Node the taint ${text}`, change };
  }
  const others = taints.filter((taint) => taint.key !== key || taint.effect !== effect);
  return { part: 'taint', what: `set on this Node the taint ${text}`, change: { taints: [...others, providerTaint] } };
}

const isProviderTaint = ({ key, value, effect }: Taint): boolean =>
  key === providerTaint.key && value === providerTaint.value && effect === providerTaint.effect;
