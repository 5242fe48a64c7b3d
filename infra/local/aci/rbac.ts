import { stableGuid } from './guid.ts';

/** A role assignment: actions (with `*`) at a scope and below. */
interface RoleAssignment {
  readonly actions: readonly string[];
  /** `/subscriptions/…[/resourceGroups/…]`, case-insensitive. */
  readonly scope: string;
}

/** Somebody whom the identity endpoint gives tokens. */
export interface Principal {
  /** `appid`; chosen by `client_id` at the identity endpoint. */
  readonly clientId: string;
  /** `oid`. */
  readonly objectId: string;
  readonly assignments: readonly RoleAssignment[];
}

const provider = 'Microsoft.ContainerInstance';

/** Actions on groups that the bridge's custom role holds (`aci.md` §1.2). */
export const groupActions: readonly string[] = [
  `${provider}/containerGroups/read`,
  `${provider}/containerGroups/write`,
  `${provider}/containerGroups/delete`,
  `${provider}/containerGroups/restart/action`,
  `${provider}/containerGroups/stop/action`,
  `${provider}/containerGroups/start/action`,
  `${provider}/containerGroups/containers/logs/read`,
  `${provider}/containerGroups/containers/exec/action`,
  `${provider}/containerGroups/containers/attach/action`,
  `${provider}/containerGroups/outboundNetworkDependenciesEndpoints/read`,
  'Microsoft.Resources/subscriptions/resourceGroups/read',
];

/** What ARM has only at subscription scope. */
const subscriptionActions: readonly string[] = [
  `${provider}/locations/operations/read`,
  `${provider}/locations/usages/read`,
  `${provider}/locations/capabilities/read`,
  `${provider}/locations/cachedImages/read`,
  `${provider}/operations/read`,
  'Microsoft.Network/virtualNetworks/subnets/join/action',
  'Microsoft.Resources/subscriptions/read',
];

/** The bridge's identity: a role on the resource groups and a reading role on the subscription. */
export function defaultPrincipal(subscription: string, resourceGroups: readonly string[]): Principal {
  const scopes = resourceGroups.map((name) => `/subscriptions/${subscription}/resourceGroups/${name}`);
  return {
    clientId: stableGuid(`client of ${subscription}`),
    objectId: stableGuid(`object of ${subscription}`),
    assignments: [
      ...scopes.map((scope) => ({ actions: groupActions, scope })),
      { actions: subscriptionActions, scope: `/subscriptions/${subscription}` },
    ],
  };
}

/** Whether an assignment at the scope or above it holds the action. Tenant-wide resources (`/providers/…`) are open. */
export function isAllowed(principal: Principal, action: string, scope: string): boolean {
  if (!scope.toLowerCase().startsWith('/subscriptions/')) return true;
  return principal.assignments.some(
    (assignment) => covers(assignment.scope, scope) && assignment.actions.some((pattern) => matches(pattern, action)),
  );
}

function covers(assigned: string, scope: string): boolean {
  const prefix = assigned.toLowerCase().replace(/\/$/, '');
  const wanted = scope.toLowerCase();
  return wanted === prefix || wanted.startsWith(`${prefix}/`);
}

function matches(pattern: string, action: string): boolean {
  if (!pattern.includes('*')) return pattern.toLowerCase() === action.toLowerCase();
  const source = pattern.split('*').map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 'i').test(action);
}
