import type { ClusterRegistration } from '../../../shared/wire/settings.ts';

/** How pods in a subnet reach the cluster, as it is registered: one line. */
export function describeReach({ dns, services }: Pick<ClusterRegistration, 'dns' | 'services'>): string {
  const names =
    dns === undefined
      ? "ask Azure's resolver for names"
      : `ask ${dns.nameServers.join(', ')} for names, ${dns.domain} among them`;
  const reach =
    services === undefined ? 'reach no Services' : `reach Services with the token of ${services.credential}`;
  return `pods ${names}, and ${reach}`;
}
