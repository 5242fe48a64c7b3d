/**
 * The Node authorizer of Kubernetes 1.36 (KEP-4601 included), as measured: a node sees its own pods, what they name, and
 * its own Node and Lease. Its answers never say what is absent from what is somebody else's.
 */
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { Attributes } from './attributes.ts';
import type { ClusterState } from './cluster-state.ts';
import { namespaceOf, specOf, textAt } from './json-access.ts';
import { namedBy } from './pod-references.ts';
import { pods } from './resources.ts';

export type NodeDecision = { readonly allowed: boolean; readonly why: string };

const allow: NodeDecision = { allowed: true, why: '' };
const deny = (why: string): NodeDecision => ({ allowed: false, why });
const noRelationship = (node: string): string => `no relationship found between node '${node}' and this object`;

/** What every node may do, whatever it refers to (ClusterRole `system:node`). */
const always: Readonly<Record<string, readonly string[]>> = {
  'tokenreviews.authentication.k8s.io': ['create'],
  'subjectaccessreviews.authorization.k8s.io': ['create'],
  'selfsubjectaccessreviews.authorization.k8s.io': ['create'],
  services: ['get', 'list', 'watch'],
  events: ['create', 'update', 'patch'],
  'pods/status': ['update', 'patch'],
  'pods/eviction': ['create'],
};

export function authorizeNode(state: ClusterState, node: string, attributes: Attributes): NodeDecision {
  const { group, resource, subresource, verb } = attributes;
  const qualified = `${resource}${subresource === '' ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
  switch (qualified) {
    case 'nodes':
    case 'nodes/status':
      return ownNode(node, attributes);
    case 'leases.coordination.k8s.io':
      return ownLease(node, attributes);
    case 'pods':
      return boundPods(state, node, attributes);
    case 'secrets':
    case 'configmaps':
      return named(state, node, attributes);
    case 'serviceaccounts/token':
      return ownAccount(state, node, attributes);
    default:
      return always[qualified]?.includes(verb) === true ? allow : deny('');
  }
}

function ownNode(node: string, { verb, subresource, name }: Attributes): NodeDecision {
  if (verb === 'create' && subresource === '') return allow;
  const verbs = subresource === 'status' ? ['update', 'patch'] : ['get', 'list', 'watch', 'update', 'patch'];
  if (!verbs.includes(verb)) return deny('');
  return name === node ? allow : deny(`node '${node}' cannot read '${name}', only its own Node object`);
}

function ownLease(node: string, { verb, namespace, name }: Attributes): NodeDecision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb))
    return deny('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease') return deny('can only access leases in the "kube-node-lease" system namespace');
  // A name is not known yet when it is created: NodeRestriction checks at it.
  return verb === 'create' || name === node
    ? allow
    : deny('can only access node lease with the same name as the requesting node');
}

function boundPods(state: ClusterState, node: string, attributes: Attributes): NodeDecision {
  const { verb, namespace, name, fields = [] } = attributes;
  switch (verb) {
    case 'create':
    case 'delete':
      // NodeRestriction checks at the object.
      return allow;
    case 'list':
    case 'watch':
      return fields.some(({ field, isEqual, value }) => field === 'spec.nodeName' && isEqual && value === node)
        ? allow
        : deny('can only list/watch pods with spec.nodeName field selector');
    case 'get': {
      const pod = state.store.get(pods, { namespace, name });
      return pod !== undefined && textAt(specOf(pod), 'nodeName') === node ? allow : deny(noRelationship(node));
    }
    default:
      return deny('');
  }
}

/** A list or a watch of one name counts as a read of it. */
function named(state: ClusterState, node: string, attributes: Attributes): NodeDecision {
  const { verb, resource, namespace, fields = [] } = attributes;
  if (!['get', 'list', 'watch'].includes(verb)) return deny('can only read resources of this type');
  const name = attributes.name || (fields.find(({ field }) => field === 'metadata.name')?.value ?? '');
  const kind = resource === 'secrets' ? 'secrets' : 'configMaps';
  return namespace !== '' && name !== '' && podsOf(state, node, namespace).some((pod) => namedBy(pod)[kind].has(name))
    ? allow
    : deny(noRelationship(node));
}

function ownAccount(state: ClusterState, node: string, { verb, namespace, name }: Attributes): NodeDecision {
  if (verb !== 'create') return deny('');
  return podsOf(state, node, namespace).some((pod) => accountOf(pod) === name) ? allow : deny(noRelationship(node));
}

export const accountOf = (pod: JsonObject): string => textAt(specOf(pod), 'serviceAccountName') || 'default';

function podsOf({ store }: ClusterState, node: string, namespace: string): readonly JsonObject[] {
  return [...store.all(pods)].filter(
    (pod) => textAt(specOf(pod), 'nodeName') === node && namespaceOf(pod) === namespace,
  );
}
