import { isIdentityId } from '../../../shared/core/resource-id.ts';
import { aci, frontDoor } from './errors.ts';
import { content } from './rule.ts';
import type { Rule } from './rule.ts';
import { identitiesOf } from './wire.ts';
import type { GroupBody } from './wire.ts';

const has = (body: GroupBody, identity: string): boolean =>
  identitiesOf(body).some((id) => id.toLowerCase() === identity.toLowerCase());

const identity: Rule = ({ body }) => {
  if (body.identity === undefined) return undefined;
  const kinds = body.identity.type.split(',').map((kind) => kind.trim().toLowerCase());
  const ids = identitiesOf(body);
  if (kinds.some((kind) => !['systemassigned', 'userassigned', 'none'].includes(kind)))
    return content(`The identity type '${body.identity.type}' is invalid.`);
  const odd = ids.find((id) => !isIdentityId(id));
  if (odd !== undefined)
    return odd.toLowerCase().startsWith('/subscriptions/')
      ? frontDoor.invalidIdentityId(odd)
      : frontDoor.linkedInvalidPropertyId(odd);
  const user = kinds.includes('userassigned');
  if (user && ids.length === 0) return frontDoor.missingIdentityIds();
  // Inferred: ids without the type that they belong to.
  if (!user && ids.length > 0) return content(`The identity type '${body.identity.type}' cannot have identity ids.`);
  return undefined;
};

const registries: Rule = ({ name, body }) => {
  for (const credential of body.properties.imageRegistryCredentials ?? []) {
    if ((credential.identity === undefined) === (credential.username === undefined))
      return aci.invalid(
        'AmbiguousImageResitryCredentialType',
        `The type of the image registry credential '${credential.server}' cannot be detected. Please set exactly one of username or identity`,
      );
    if (credential.identity !== undefined && !has(body, credential.identity))
      return aci.invalid(
        'InvalidImageRegistryIdentity',
        `The identity in the 'imageRegistryCredentials' of container group '${name}' not found in container group identity list.`,
      );
  }
  return undefined;
};

/** Inferred: as for registries. Nobody could otherwise say that the caller may give the identity. */
const encryption: Rule = ({ body }) => {
  const reader = body.properties.encryptionProperties?.identity;
  return reader === undefined || has(body, reader)
    ? undefined
    : content("The identity in the 'encryptionProperties' is not in the identity list of the container group.");
};

/** What a body says of identities: the group's own, and who reads registries and keys. */
export const identityRules: readonly Rule[] = [identity, registries, encryption];
