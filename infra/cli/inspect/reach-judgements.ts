import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { DnsService } from './cluster-dns.ts';
import { failed, good, skipped, warned } from './check.ts';
import type { Check } from './check.ts';
import type { Part } from './observed.ts';
import type { SecretSeen } from './services-secrets.ts';

type Dns = NonNullable<ClusterRegistration['dns']>;
type Services = NonNullable<ClusterRegistration['services']>;

/** Of the cluster's DNS, as the cluster has it. */
export interface DnsFacts {
  /** Undefined: there is no such Service. */
  readonly service: Part<DnsService | undefined>;
  /** How many of its back ends are ready. */
  readonly ready: Part<number>;
}

/** Whom pods ask for names, beside what is there. */
export function judgeDns(name: string, { nameServers, viaServices }: Dns, { service, ready }: DnsFacts): Check {
  if (service.kind === 'unreadable') return skipped(name, service.reason);
  const asked = `Pods ask ${nameServers.join(', ')} for names`;
  const again = 'Attach again with --dns auto, or --dns IP; pods that run keep what they have.';
  const found = service.value;
  if (viaServices && found === undefined)
    return failed(name, `${asked}, and kube-system has no Service kube-dns with an IPv4 address.`, again);
  if (viaServices && found !== undefined && !nameServers.includes(found.address))
    return failed(name, `${asked}, and the Service ${found.name} is at ${found.address}.`, again);
  if (found !== undefined && ready.kind === 'read' && ready.value === 0)
    return failed(
      name,
      `${asked}, and the Service ${found.name} has no ready back end: no name is resolved.`,
      'kubectl get pods --namespace kube-system --selector k8s-app=kube-dns shows why.',
    );
  if (!viaServices) return good(name, `${asked}; whether these answer in the pods' network is not known from here.`);
  const known = ready.kind === 'read' ? ` with ${String(ready.value)} ready back ends` : '';
  return good(name, `${asked}: the Service ${found?.name ?? ''}${known}.`);
}

/** The Secret whose token the app gives to groups. */
export function judgeCredential(name: string, { credential }: Services, secrets: Part<readonly SecretSeen[]>): Check {
  if (secrets.kind === 'unreadable') return skipped(name, secrets.reason);
  const secret = secrets.value.find((one) => one.name === credential);
  const meaning = 'new pods wait for it';
  if (secret === undefined)
    return failed(name, `There is no Secret ${credential}: ${meaning}.`, 'Attach again: the chart makes it.');
  if (!secret.hasToken)
    return failed(
      name,
      `The Secret ${credential} has no token: ${meaning}.`,
      'The controller manager of the cluster fills it; delete it and attach again.',
    );
  return good(name, `Pods reach Services with the token of ${credential}.`);
}

/** What groups have, by the tag that names Secret and UID. */
export interface HeldCredential {
  /** `services-a/UID`. */
  readonly credential: string;
  /** `namespace/name`. */
  readonly pod: string;
}

const shownPods = 5;

/**
 * Secrets that are good for nothing any more, and groups whose Secret is gone. No check where there are neither, or that is
 * not known.
 */
export function judgeFormerCredentials(
  name: string,
  registered: Services | undefined,
  { secrets, held }: { readonly secrets: Part<readonly SecretSeen[]>; readonly held: Part<readonly HeldCredential[]> },
): Check | undefined {
  if (secrets.kind === 'unreadable' || held.kind === 'unreadable') return undefined;
  const known = new Set(secrets.value.map((secret) => `${secret.name}/${secret.uid}`));
  const stranded = held.value.filter(({ credential }) => !known.has(credential)).map(({ pod }) => pod);
  if (stranded.length > 0)
    return failed(
      name,
      `The token for Services of ${podsText(stranded)} is good no more: its Secret is gone.`,
      'Changes of Services do not reach these pods: replace them (kubectl rollout restart).',
    );
  const unused = secrets.value.filter(
    (secret) =>
      secret.name !== registered?.credential &&
      !held.value.some(({ credential }) => credential === `${secret.name}/${secret.uid}`),
  );
  if (unused.length === 0) return undefined;
  const names = unused.map((secret) => secret.name).join(', ');
  return warned(
    name,
    `No container group has the token of ${names}, and it is still good.`,
    'Attach again: ten minutes after a rotation it takes such a Secret away.',
  );
}

function podsText(pods: readonly string[]): string {
  const more = pods.length - shownPods;
  const named = pods.toSorted().slice(0, shownPods).join(', ');
  const groups = pods.length === 1 ? '1 container group' : `${String(pods.length)} container groups`;
  return `${groups} (${named}${more > 0 ? ` and ${String(more)} more` : ''})`;
}
