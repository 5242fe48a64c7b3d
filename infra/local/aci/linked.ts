import { aci, frontDoor } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { isAllowed } from './rbac.ts';
import type { ArmCall, EmulatorState } from './state.ts';
import { identitiesOf } from './wire.ts';
import type { GroupBody } from './wire.ts';

interface Linking {
  readonly id: string;
  readonly body: GroupBody;
}

/** What a PUT links to: for each resource that it names, the caller needs an action there. */
const links: readonly { readonly action: string; readonly scopes: (body: GroupBody) => readonly string[] }[] = [
  {
    action: 'Microsoft.Network/virtualNetworks/subnets/join/action',
    scopes: (body) => (body.properties.subnetIds ?? []).map(({ id }) => id),
  },
  { action: 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action', scopes: identitiesOf },
];

/** ARM's own check of the linked resources; it names all scopes that lack the first action that is missing. */
export function checkLinked(state: EmulatorState, call: ArmCall, wanted: Linking): ArmFault | undefined {
  const { clientId, objectId } = call.principal;
  for (const { action, scopes } of links) {
    const denied = scopes(wanted.body).filter((scope) => {
      const allowed = isAllowed(call.principal, action, scope);
      state.journal.needed(clientId, action, allowed);
      return !allowed;
    });
    if (denied.length > 0)
      return frontDoor.linkedAuthorizationFailed({ clientId, objectId, id: wanted.id, action, scopes: denied });
  }
  return undefined;
}

/** An identity that may be given but is not there. That ARM fails so at a container group is inferred. */
export function checkIdentities(state: EmulatorState, wanted: Linking): ArmFault | undefined {
  const known = state.options.identities?.map((id) => id.toLowerCase());
  if (known === undefined) return undefined;
  const missing = identitiesOf(wanted.body).find((id) => !known.includes(id.toLowerCase()));
  return missing === undefined ? undefined : aci.failedIdentityOperation(wanted.id, missing);
}
