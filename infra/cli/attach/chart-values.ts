import { audienceOf, plannedNodes, reachPlan } from './plan.ts';
import type { RegistrationInput } from './plan.ts';
import { servingSecretName } from '../cluster/names.ts';
import type { CredentialsPlan } from '../cluster/services-credentials.ts';
import type { ServingMode } from './wants.ts';

/** The values for the chart that follow from the registration; what the operator set besides comes on top. */
export function chartValues(input: Omit<RegistrationInput, 'address'>): Readonly<Record<string, unknown>> {
  const { wants, facts, appUrl } = input;
  const before = facts.registered.find(({ uid }) => uid === facts.cluster.uid);
  return {
    clusterUid: facts.cluster.uid,
    installation: facts.installation,
    app: {
      url: appUrl,
      audience: audienceOf(before, appUrl),
      principal:
        wants.auth === 'entra' && facts.principalId !== undefined
          ? { kind: 'User', name: facts.principalId }
          : appAccount,
    },
    nodes: plannedNodes(wants, before?.nodes ?? []),
    services: servicesValues(reachPlan(wants, facts).credentials),
    ...(wants.serving === undefined ? {} : { serving: servingValues(wants.serving) }),
  };
}

/** The chart's own ServiceAccount `app`; said in full, so that it wins over an earlier User. */
const appAccount = { kind: 'ServiceAccount', name: '', namespace: '' };

function servingValues(mode: ServingMode): Readonly<Record<string, unknown>> {
  switch (mode) {
    case 'self-signed':
      return { mode: 'selfSigned' };
    case 'cert-manager':
      return { mode: 'certManager' };
    case 'csr':
      return { mode: 'secret', secretName: servingSecretName };
  }
}

/** The account stays as long as a group has its token, though pods are to reach Services no more. */
const servicesValues = ({ kept }: CredentialsPlan): Readonly<Record<string, unknown>> =>
  kept.length === 0 ? { enabled: false } : { enabled: true, credentials: kept };
