import type { Part } from './observed.ts';
import { failed, good, skipped } from './check.ts';
import type { Check } from './check.ts';

/** What one role assignment of the app's principal allows, and where. */
export interface Grant {
  readonly role: string;
  /** ARM id; everything below it is meant too. */
  readonly scope: string;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
  readonly notDataActions: readonly string[];
}

/** What the app needs at one place. */
export interface RoleNeed {
  /** Name of the check. */
  readonly name: string;
  readonly scope: string;
  readonly kind: 'actions' | 'dataActions';
  readonly wanted: readonly string[];
  /** What stops working without it. */
  readonly meaning: string;
  /** The role that gives it: one of Azure's own, by its name, or one that the deployment makes for the installation. */
  readonly role:
    | {
        readonly madeBy: 'azure';
        readonly name: string;
        /** Another way to it; without: to deploy again, with the parameters as they are. */
        readonly orElse?: string;
      }
    | { readonly madeBy: 'deployment' };
}

/** Whether the grants cover a need: each action, at the scope or above it. */
export function judgeRole(need: RoleNeed, grants: Part<readonly Grant[]>, principalId: string): Check {
  if (grants.kind === 'unreadable') return skipped(need.name, grants.reason);
  const missing = missingActions(need, grants.value);
  if (missing.length === 0) return good(need.name, `The app may do all that it needs at ${placeOf(need.scope)}.`);
  const elsewhere = grants.value.some(
    (grant) => !covers(grant.scope, need.scope) && missing.every((action) => allows(grant, need.kind, action)),
  );
  const where = elsewhere ? ` It has it somewhere else.` : '';
  return failed(
    need.name,
    `The app may not ${missing.join(', ')} at ${placeOf(need.scope)}: ${need.meaning}.${where}`,
    `${fixOf(need, principalId)}; it takes a few minutes to work.`,
  );
}

type Wanted = Pick<RoleNeed, 'scope' | 'kind' | 'wanted'>;

function missingActions({ scope, kind, wanted }: Wanted, grants: readonly Grant[]): readonly string[] {
  const above = grants.filter((grant) => covers(grant.scope, scope));
  return wanted.filter((action) => !above.some((grant) => allows(grant, kind, action)));
}

/** Whether all that is wanted is allowed there, at the scope or above it. */
export const allowsAll = (wanted: Wanted, grants: readonly Grant[]): boolean =>
  missingActions(wanted, grants).length === 0;

/** A role of the deployment bears the installation in its name, and may not be there yet: nothing to assign by hand. */
const fixOf = ({ role, scope }: RoleNeed, principalId: string): string =>
  role.madeBy === 'deployment'
    ? 'Deploy infra/azure again, which makes the role and assigns it'
    : `az role assignment create --assignee-object-id ${principalId} --assignee-principal-type ServicePrincipal --role "${role.name}" --scope ${scope}, or ${role.orElse ?? 'deploy infra/azure again'}`;

/** A scope covers itself and what lies below it; management groups are above every subscription that names them. */
export function covers(granted: string, needed: string): boolean {
  const above = granted.toLowerCase().replace(/\/+$/, '');
  const below = needed.toLowerCase();
  if (above === '' || above.startsWith('/providers/microsoft.management/managementgroups/')) return true;
  return below === above || below.startsWith(`${above}/`);
}

function allows(grant: Grant, kind: RoleNeed['kind'], action: string): boolean {
  const [granted, denied] =
    kind === 'actions' ? [grant.actions, grant.notActions] : [grant.dataActions, grant.notDataActions];
  return matchesAny(granted, action) && !matchesAny(denied, action);
}

const matchesAny = (patterns: readonly string[], action: string): boolean =>
  patterns.some((pattern) => matches(pattern, action));

// Azure's own role Managed Identity Operator has `userAssignedIdentities/*/assign/action`, and ARM asks for
// `userAssignedIdentities/assign/action`: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/identity
/** `*` is for any characters, slashes too, and between two slashes for nothing as well; case does not count. */
export function matches(pattern: string, action: string): boolean {
  const escaped = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\/\*\/|\*/g, (wildcard) => (wildcard === '*' ? '.*' : '/(?:.*/)?'));
  return new RegExp(`^${escaped}$`, 'i').test(action);
}

/** `resource group pods`, `the subscription`, `…/subnets/aci`: enough for a person. */
function placeOf(scope: string): string {
  const parts = scope.split('/').filter((part) => part !== '');
  if (parts.length <= 2) return 'the subscription';
  if (parts.length === 4) return `resource group ${parts[3] ?? ''}`;
  return `${parts.at(-2) ?? ''} ${parts.at(-1) ?? ''}`;
}
