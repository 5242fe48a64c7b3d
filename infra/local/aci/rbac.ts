import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { stableGuid } from './guid.ts';

const roleSchema = z.strictObject({ name: z.string(), description: z.string(), actions: z.array(z.string()) });

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

/** The roles that `infra/azure` deploys, so that what runs here has neither more nor less than what runs on Azure. */
const roles = {
  containerGroups: readRole('container-groups'),
  subscriptionReader: readRole('subscription-reader'),
  subnetJoin: readRole('subnet-join'),
  identityAssign: readRole('identity-assign'),
};

export interface PrincipalScopes {
  readonly subscription: string;
  /** Those that hold the container groups. */
  readonly resourceGroups: readonly string[];
  /** Resource ids of the delegated subnets that groups may be put in. */
  readonly subnets: readonly string[];
  /** Resource ids of the user-assigned identities that groups may be given; none unless given. */
  readonly identities?: readonly string[];
}

/** The app's identity, with the deployed roles at the deployed scopes: each resource group, the subscription, each subnet and identity. */
export function defaultPrincipal({
  subscription,
  resourceGroups,
  subnets,
  identities = [],
}: PrincipalScopes): Principal {
  const scope = `/subscriptions/${subscription}`;
  return {
    clientId: stableGuid(`client of ${subscription}`),
    objectId: stableGuid(`object of ${subscription}`),
    assignments: [
      ...resourceGroups.map((name) => ({ actions: roles.containerGroups, scope: `${scope}/resourceGroups/${name}` })),
      { actions: roles.subscriptionReader, scope },
      ...subnets.map((subnet) => ({ actions: roles.subnetJoin, scope: subnet })),
      ...identities.map((identity) => ({ actions: roles.identityAssign, scope: identity })),
    ],
  };
}

function readRole(name: string): readonly string[] {
  const file = new URL(`../../azure/roles/${name}.json`, import.meta.url);
  return roleSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).actions;
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
