/** Who may do what: RBAC over the stored roles, and the Node authorizer. */
import type { Attributes } from './attributes.ts';
import type { ClusterState } from './cluster-state.ts';
import { authorizeNode } from './node-authorizer.ts';
import { isGranted } from './rbac.ts';
import { mastersGroup, nodeNameOf } from './user.ts';
import type { User } from './user.ts';

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

/** As the API server's authorizers in their order: `system:masters`, Node, RBAC. */
export function authorize(state: ClusterState, user: User, attributes: Attributes): Decision {
  if (user.groups.includes(mastersGroup)) return { allowed: true };
  const node = nodeNameOf(user);
  const byNode = node === undefined ? undefined : authorizeNode(state, node, attributes);
  if (byNode?.allowed === true || isGranted(state, user, attributes)) return { allowed: true };
  return { allowed: false, why: sentence(user, attributes, byNode?.why ?? '') };
}

/** The real server's words. */
function sentence(user: User, attributes: Attributes, why: string): string {
  const { verb, resource, subresource, group, namespace } = attributes;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const refusal = `User "${user.name}" cannot ${verb} resource "${whole}" in API group "${group}" ${where}`;
  return why === '' ? refusal : `${refusal}: ${why}`;
}
