/** The NodeRestriction admission plugin: what a node may write, by the object's content. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import {
  isSame,
  labelsOf,
  metaOf,
  nameOf,
  namespaceOf,
  objectAt,
  objectsAt,
  specOf,
  textAt,
  uidOf,
} from './json-access.ts';
import { leases, nodes, pods } from './resources.ts';
import type { Resource } from './resources.ts';

/** What a node is about to write. */
export interface NodeWrite {
  readonly node: string;
  readonly verb: 'create' | 'update' | 'delete';
  readonly resource: Resource;
  readonly subresource: string;
  readonly before: JsonObject | undefined;
  /** As it would be; undefined for a deletion. */
  readonly after: JsonObject | undefined;
}

/** Why it may not, or undefined. */
export function nodeRestriction(write: NodeWrite): string | undefined {
  switch (write.resource) {
    case nodes:
      return ofNode(write);
    case leases:
      return ofLease(write);
    case pods:
      return ofPod(write);
    default:
      return undefined;
  }
}

function ofNode({ node, verb, before, after }: NodeWrite): string | undefined {
  const name = nameOf(after ?? before ?? {});
  if (name !== node) return `node "${node}" is not allowed to modify node "${name}"`;
  if (after === undefined) return undefined;
  const refused = refusedLabels(before === undefined ? {} : labelsOf(before), labelsOf(after));
  if (refused.length > 0) return `node "${node}" is not allowed to modify labels: ${refused.join(', ')}`;
  if (verb === 'update' && before !== undefined && !isSame(specOf(before)['taints'], specOf(after)['taints']))
    return `node "${node}" is not allowed to modify taints`;
  return undefined;
}

const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const ownPrefixes = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

/** Those that differ and are Kubernetes' own, but not a kubelet's. */
function refusedLabels(before: JsonObject, after: JsonObject): readonly string[] {
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => before[key] !== after[key],
  );
  return changed.filter((key) => !isOwnLabel(key)).toSorted();
}

function isOwnLabel(key: string): boolean {
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const within = (domain: string): boolean => prefix === domain || prefix.endsWith(`.${domain}`);
  if (within('node-restriction.kubernetes.io')) return false;
  if (!within('kubernetes.io') && !within('k8s.io')) return true;
  return ownLabels.has(key) || ownPrefixes.some(within);
}

function ofLease({ node, before, after }: NodeWrite): string | undefined {
  const lease = after ?? before ?? {};
  if (namespaceOf(lease) !== 'kube-node-lease')
    return 'can only access leases in the "kube-node-lease" system namespace';
  return nameOf(lease) === node ? undefined : 'can only access node lease with the same name as the requesting node';
}

function ofPod({ node, verb, subresource, before, after }: NodeWrite): string | undefined {
  if (subresource === 'status') return ofPodStatus(node, before, after);
  const isOwn = textAt(specOf(before ?? {}), 'nodeName') === node;
  switch (verb) {
    case 'create':
      return textAt(objectAt(metaOf(after ?? {}), 'annotations'), 'kubernetes.io/config.mirror') === ''
        ? `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`
        : undefined;
    case 'delete':
      return isOwn ? undefined : `node "${node}" can only delete pods with spec.nodeName set to itself`;
    case 'update':
      return `unexpected operation "UPDATE", node "${node}" can only create and delete mirror pods`;
  }
}

function ofPodStatus(node: string, before: JsonObject | undefined, after: JsonObject | undefined): string | undefined {
  if (textAt(specOf(before ?? {}), 'nodeName') !== node)
    return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
  return isSame(labelsOf(before ?? {}), labelsOf(after ?? {}))
    ? undefined
    : `node "${node}" cannot update labels through pod status`;
}

/** Of a TokenRequest by a node: bound to a pod of its own, of that ServiceAccount. */
export function tokenRestriction(
  state: ClusterState,
  node: string,
  request: {
    readonly namespace: string;
    readonly bound: JsonObject;
    readonly audiences: readonly string[];
  },
): string | undefined {
  const { namespace, bound } = request;
  const isPod = textAt(bound, 'kind') === 'Pod' && textAt(bound, 'apiVersion') === 'v1';
  if (!isPod) return 'node requested token not bound to a pod';
  if (textAt(bound, 'uid') === '') return 'node requested token with a pod binding without a uid';
  const pod = state.store.get(pods, { namespace, name: textAt(bound, 'name') });
  // Not this plugin's to say.
  if (pod === undefined) return undefined;
  if (textAt(bound, 'uid') !== uidOf(pod))
    return `the UID in the bound object reference (${textAt(bound, 'uid')}) does not match the UID in record. The object might have been deleted and then recreated`;
  if (textAt(specOf(pod), 'nodeName') !== node)
    return `node requested token bound to a pod scheduled on a different node`;
  const { audiences } = request;
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
  const audience = audiences[0] ?? '';
  return projectedAudiences(pod).includes(audience) ? undefined : `audience "${audience}" not found in pod spec volume`;
}

/** Audiences that a pod's projected volumes name; an empty text is the API server's own. */
const projectedAudiences = (pod: JsonObject): readonly string[] =>
  objectsAt(specOf(pod), 'volumes')
    .flatMap((volume) => objectsAt(objectAt(volume, 'projected'), 'sources'))
    .flatMap((source) =>
      source['serviceAccountToken'] === undefined ? [] : [textAt(objectAt(source, 'serviceAccountToken'), 'audience')],
    );
