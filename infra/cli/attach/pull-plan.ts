import { isSameId, resourceName } from '../../../shared/core/resource-id.ts';
import type { Complaint } from './plan.ts';

/** An identity that was found. */
export interface FoundIdentity {
  readonly id: string;
  readonly clientId: string;
  readonly principalId: string;
}

export interface RegistryFacts {
  readonly id: string;
  readonly loginServer: string;
  /** Whether the identity may pull there. */
  readonly mayPull: boolean;
}

/** What Azure reports of the identity that pulls, before anything is changed. */
export interface PullFacts {
  /** What the identity is called where it has to be made, in the app's resource group. */
  readonly name: string;
  readonly resourceGroup: string;
  /** Undefined: it is not there. */
  readonly identity: FoundIdentity | undefined;
  readonly isAttached: boolean;
  /** Whether the app may give it to container groups. */
  readonly mayAssign: boolean;
  readonly registries: readonly RegistryFacts[];
  /** As the settings have them. */
  readonly settings: { readonly identities: Readonly<Record<string, string>>; readonly clientId: string | undefined };
}

/** One thing that is missing, in the order in which it is done: rights before the settings that make the app use them. */
export type PullStep =
  | { readonly kind: 'make-identity' }
  | { readonly kind: 'give-pull'; readonly registry: RegistryFacts }
  | { readonly kind: 'give-assign' }
  | { readonly kind: 'attach-identity' }
  | { readonly kind: 'write-settings' };

/** What is missing; nothing where a deployment, or an earlier run, did it all. Pure. */
export function planPull(facts: PullFacts): readonly PullStep[] {
  const { identity } = facts;
  return [
    ...(identity === undefined ? [{ kind: 'make-identity' as const }] : []),
    ...facts.registries.filter(({ mayPull }) => !mayPull).map((registry) => ({ kind: 'give-pull' as const, registry })),
    ...(facts.mayAssign ? [] : [{ kind: 'give-assign' as const }]),
    ...(facts.isAttached ? [] : [{ kind: 'attach-identity' as const }]),
    ...(identity !== undefined && areSettingsGood(facts, identity) ? [] : [{ kind: 'write-settings' as const }]),
  ];
}

const areSettingsGood = ({ registries, settings }: PullFacts, { id, clientId }: FoundIdentity): boolean =>
  isSameId(settings.clientId, clientId) &&
  registries.every(({ loginServer }) => isSameId(settings.identities[loginServer], id));

/** The settings once all is done; what they say of other registries stays. */
export function pullSettings(
  { registries, settings }: Pick<PullFacts, 'registries' | 'settings'>,
  { id, clientId }: FoundIdentity,
): Readonly<Record<string, string>> {
  const wanted = Object.fromEntries(registries.map(({ loginServer }) => [loginServer, id]));
  return {
    REGISTRY_PULL_IDENTITIES: JSON.stringify({ ...settings.identities, ...wanted }),
    REGISTRY_PULL_CLIENT_ID: clientId,
  };
}

/** For a person: what a step does, after "would". */
export function describePullStep(step: PullStep, facts: PullFacts): string {
  const { name, resourceGroup, identity, registries } = facts;
  const who = identity === undefined ? name : resourceName(identity.id);
  switch (step.kind) {
    case 'make-identity':
      return `make the identity ${name} in the resource group ${resourceGroup}`;
    case 'give-pull':
      return `give ${who} the role AcrPull at ${step.registry.loginServer}`;
    case 'give-assign':
      return `let the app give ${who} to container groups (Managed Identity Operator at that identity)`;
    case 'attach-identity':
      return `attach ${who} to the app`;
    case 'write-settings':
      return `write ${who} into REGISTRY_PULL_IDENTITIES for ${registries.map(({ loginServer }) => loginServer).join(', ')}, and into REGISTRY_PULL_CLIENT_ID`;
  }
}

/** Whose the setting REGISTRY_PULL_CLIENT_ID is, and whether that will do; undefined: nothing is in the way. Pure. */
export function pullComplaint(
  clientId: string | undefined,
  { appClientId, identity }: { readonly appClientId: string | undefined; readonly identity: FoundIdentity | undefined },
): Complaint | undefined {
  if (clientId === undefined) return undefined;
  if (isSameId(appClientId, clientId))
    return {
      problem:
        "REGISTRY_PULL_CLIENT_ID is the app's own identity, with which every container of a group could do all that the app does",
      fix: 'take the setting away (az functionapp config appsettings delete), and AcrPull from that identity; then attach makes another',
    };
  if (identity !== undefined) return undefined;
  return {
    problem: `REGISTRY_PULL_CLIENT_ID is ${clientId}, an identity that neither the app nor its resource group has`,
    fix: 'attach that identity to the app (az functionapp identity assign --identities ID), or take the setting away',
  };
}
