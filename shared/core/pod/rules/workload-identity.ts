import { tokenSources } from '../mounted-volumes.ts';
import type { Rule } from './rule.ts';

/** Of Azure Workload Identity (https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html). */
const label = 'azure.workload.identity/use';
export const tokenExchangeAudience = 'api://AzureADTokenExchange';
/** The annotation by which its webhook is asked for a longer token, of a pod or its ServiceAccount; a day at most. */
export const expirationAnnotation = 'azure.workload.identity/service-account-token-expiration';

/**
 * The label asks its mutating webhook for a projected token and variables; the webhook lets pods pass unchanged where it is
 * down or not installed, and the program then finds no credential.
 */
export const workloadIdentityRule: Rule = (pod) => {
  const isAsked = pod.metadata.labels[label] === 'true';
  if (!isAsked || tokenSources(pod).some(({ audience }) => audience === tokenExchangeAudience)) return [];
  return [
    {
      type: 'Warning',
      reason: 'WorkloadIdentityNotInjected',
      message: `metadata.labels[${label}]: no container mounts a token for ${tokenExchangeAudience}: the webhook of Azure Workload Identity has not changed the pod; install it, then make the pod again`,
    },
  ];
};
